# The memory functions that compilers call. Up to 32 bytes everything is loaded before anything is stored, so overlap does no harm;
# above 2 KiB the processor's own string instruction is the fastest.

.macro FUNCTION name
    .section .text.\name,"ax",@progbits
    .weak \name
    .type \name,@function
    .p2align 4
\name:
.endm

# memcpy also serves memmove when the destination does not begin inside the source.
FUNCTION memcpy
ori_copy_forward:
    mov rax, rdi
    cmp rdx, 16
    jb 4f
    cmp rdx, 32
    ja 2f
    movups xmm0, [rsi]
    movups xmm1, [rsi + rdx - 16]
    movups [rdi], xmm0
    movups [rdi + rdx - 16], xmm1
    ret
2:  cmp rdx, 2048
    jae 8f
    movups xmm2, [rsi + rdx - 32]
    movups xmm3, [rsi + rdx - 16]
    lea rcx, [rdi + rdx - 32]
3:  movups xmm0, [rsi]
    movups xmm1, [rsi + 16]
    movups [rdi], xmm0
    movups [rdi + 16], xmm1
    add rsi, 32
    add rdi, 32
    cmp rdi, rcx
    jb 3b
    movups [rcx], xmm2
    movups [rcx + 16], xmm3
    ret
4:  cmp edx, 8
    jb 5f
    mov rcx, [rsi]
    mov r8, [rsi + rdx - 8]
    mov [rdi], rcx
    mov [rdi + rdx - 8], r8
    ret
5:  cmp edx, 4
    jb 6f
    mov ecx, [rsi]
    mov r8d, [rsi + rdx - 4]
    mov [rdi], ecx
    mov [rdi + rdx - 4], r8d
    ret
6:  test edx, edx
    jz 7f
    movzx ecx, byte ptr [rsi]
    movzx r8d, byte ptr [rsi + rdx - 1]
    mov r9d, edx
    shr r9d, 1
    movzx r10d, byte ptr [rsi + r9]
    mov [rdi], cl
    mov [rdi + r9], r10b
    mov [rdi + rdx - 1], r8b
7:  ret
8:  mov rcx, rdx
    rep movsb
    ret
.size memcpy, . - memcpy

FUNCTION memmove
    mov rax, rdi
    sub rax, rsi
    cmp rax, rdx
    jae ori_copy_forward
    cmp rdx, 32
    jbe ori_copy_forward
    # The destination begins inside the source: from the end down, the first 32 bytes last.
    mov rax, rdi
    movups xmm2, [rsi]
    movups xmm3, [rsi + 16]
2:  movups xmm0, [rsi + rdx - 32]
    movups xmm1, [rsi + rdx - 16]
    movups [rdi + rdx - 32], xmm0
    movups [rdi + rdx - 16], xmm1
    sub rdx, 32
    cmp rdx, 32
    ja 2b
    movups [rdi], xmm2
    movups [rdi + 16], xmm3
    ret
.size memmove, . - memmove

FUNCTION memset
    mov rax, rdi
    movzx esi, sil
    mov rcx, 0x0101010101010101
    imul rsi, rcx
    cmp rdx, 8
    jb 4f
    cmp rdx, 512
    jae 5f
    mov [rdi + rdx - 8], rsi
    lea rcx, [rdi + rdx - 8]
3:  mov [rdi], rsi
    add rdi, 8
    cmp rdi, rcx
    jb 3b
    ret
4:  test edx, edx
    jz 6f
7:  mov [rdi], sil
    inc rdi
    dec edx
    jnz 7b
6:  ret
5:  mov r8, rax
    mov rcx, rdx
    mov eax, esi
    rep stosb
    mov rax, r8
    ret
.size memset, . - memset

# Eight bytes at a time; the first difference is decided in big-endian order.
FUNCTION memcmp
ori_compare:
    xor ecx, ecx
2:  lea r8, [rcx + 8]
    cmp r8, rdx
    ja 3f
    mov rax, [rdi + rcx]
    mov r9, [rsi + rcx]
    cmp rax, r9
    jne 5f
    mov rcx, r8
    jmp 2b
3:  cmp rcx, rdx
    jae 4f
    movzx eax, byte ptr [rdi + rcx]
    movzx r9d, byte ptr [rsi + rcx]
    inc rcx
    sub eax, r9d
    je 3b
    ret
4:  xor eax, eax
    ret
5:  bswap rax
    bswap r9
    cmp rax, r9
    sbb eax, eax
    or eax, 1
    ret
.size memcmp, . - memcmp

FUNCTION bcmp
    jmp ori_compare
.size bcmp, . - bcmp

FUNCTION strlen
    xor eax, eax
2:  cmp byte ptr [rdi + rax], 0
    je 3f
    inc rax
    jmp 2b
3:  ret
.size strlen, . - strlen

.text
