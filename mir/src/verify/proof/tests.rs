use super::*;

const SAMPLES: &[i64] = &[i64::MIN, i64::MIN + 1, -256, -65, -7, -2, -1, 0, 1, 2, 3, 7, 63, 64, 255, 256, i64::MAX - 1, i64::MAX];

/// The result of an op when it does not panic, written down apart from the passes.
fn run(op: Op, a: i64, b: i64) -> Option<i64> {
    match op {
        Op::Add => a.checked_add(b),
        Op::Sub => a.checked_sub(b),
        Op::Mul => a.checked_mul(b),
        Op::WrapAdd => Some(a.wrapping_add(b)),
        Op::WrapSub => Some(a.wrapping_sub(b)),
        Op::WrapMul => Some(a.wrapping_mul(b)),
        Op::Div => a.checked_div(b),
        Op::Rem => a.checked_rem(b),
        Op::FloorDiv if b != 0 => {
            i64::try_from(i128::from(a).div_euclid(i128::from(b)) - i128::from(b < 0 && a.checked_rem(b) != Some(0))).ok()
        }
        Op::And => Some(a & b),
        Op::Or => Some(a | b),
        Op::Xor => Some(a ^ b),
        Op::Shr if (0..64).contains(&b) => Some(a >> b),
        Op::Neg => a.checked_neg(),
        Op::Abs => a.checked_abs(),
        _ => None,
    }
}

#[test]
fn a_result_lies_in_the_range_that_the_operands_give() {
    let mut ranges = Vec::new();
    for (at, &low) in SAMPLES.iter().enumerate() {
        ranges.extend(SAMPLES[at..].iter().map(|&high| Range::new(low, high)));
    }
    let ops = [
        Op::Add,
        Op::Sub,
        Op::Mul,
        Op::WrapAdd,
        Op::WrapSub,
        Op::WrapMul,
        Op::Div,
        Op::Rem,
        Op::FloorDiv,
        Op::And,
        Op::Or,
        Op::Xor,
        Op::Shr,
        Op::Neg,
        Op::Abs,
    ];
    for op in ops {
        for &ra in &ranges {
            for &rb in &ranges {
                let range = transfer(op, Type::INT, 0, ra, rb);
                let proved = ranges_prove(op, ra, rb);
                for &a in SAMPLES.iter().filter(|&&a| ra.has(a)) {
                    for &b in SAMPLES.iter().filter(|&&b| rb.has(b)) {
                        match run(op, a, b) {
                            Some(result) => assert!(range.has(result), "{op:?} {a} {b} = {result}, {ra:?} {rb:?} give {range:?}"),
                            None => assert!(!proved, "{op:?} {a} {b} panics, {ra:?} {rb:?} prove that it does not"),
                        }
                    }
                }
            }
        }
    }
}
