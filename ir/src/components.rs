//! Strongly connected components, after Tarjan, "Depth-First Search and Linear Graph Algorithms" (1972), without recursion.

/// The number of the strongly connected component of each node, given what each leads to; components have the numbers that their ends were found in.
pub fn components(successors: &[Vec<usize>]) -> Vec<u32> {
    const NEW: u32 = u32::MAX;
    let mut number = vec![NEW; successors.len()];
    let mut low = vec![NEW; successors.len()];
    let mut component = vec![NEW; successors.len()];
    let (mut next, mut groups) = (0, 0);
    let mut open: Vec<usize> = Vec::new();
    let mut walk: Vec<(usize, usize)> = Vec::new();
    for root in 0..successors.len() {
        if number[root] != NEW {
            continue;
        }
        let mut enter = |node: usize, number: &mut [u32], low: &mut [u32], open: &mut Vec<usize>| {
            number[node] = next;
            low[node] = next;
            next += 1;
            open.push(node);
        };
        enter(root, &mut number, &mut low, &mut open);
        walk.push((root, 0));
        while let Some((node, at)) = walk.last_mut() {
            let node = *node;
            match successors[node].get(*at) {
                Some(&to) => {
                    *at += 1;
                    if number[to] == NEW {
                        enter(to, &mut number, &mut low, &mut open);
                        walk.push((to, 0));
                    } else if component[to] == NEW {
                        low[node] = low[node].min(number[to]);
                    }
                }
                None => {
                    walk.pop();
                    if let Some((parent, _)) = walk.last() {
                        low[*parent] = low[*parent].min(low[node]);
                    }
                    if low[node] == number[node] {
                        while let Some(member) = open.pop() {
                            component[member] = groups;
                            if member == node {
                                break;
                            }
                        }
                        groups += 1;
                    }
                }
            }
        }
    }
    component
}

#[cfg(test)]
mod tests {
    use super::components;

    #[test]
    fn components_are_the_rings_of_calls() {
        // 0 -> 1 -> 2 -> 0, 2 -> 3, 3 -> 3, 4 -> 3
        let found = components(&[vec![1], vec![2], vec![0, 3], vec![3], vec![3]]);
        assert!(found[0] == found[1] && found[1] == found[2]);
        assert!(found[0] != found[3] && found[4] != found[3] && found[4] != found[0]);
        assert_eq!(components(&[vec![], vec![0]]).len(), 2);
    }
}
