# Functions as LLVM compiles them: their frames are described by .eh_frame and .gcc_except_table, their panics and calls by constants with places.
# The test fills in what stands in braces: encodings of pointers, the number of a panic, names of items.
    .intel_syntax noprefix
    .text

# Panics, with a register of its caller changed.
    .globl ori.t.thrower
    .type ori.t.thrower,@function
ori.t.thrower:
    .cfi_startproc
    push rbx
    .cfi_def_cfa_offset 16
    .cfi_offset rbx, -16
    xor ebx, ebx
    mov edi, 7
    mov esi, 3
    mov edx, {index_out_of_bounds}
    lea rcx, [rip + .Lplace_thrower]
    call ori_panic_at
    .cfi_endproc
    .size ori.t.thrower, . - ori.t.thrower

# Calls `bridge`, of two places: one inlined at another, and the one that this is inlined at. The pad prints what r12 and rbx name, which `bridge` and
# `thrower` have changed; its call of _Unwind_Resume has a pad itself.
    .globl ori.t.middle
    .type ori.t.middle,@function
ori.t.middle:
    .cfi_startproc
    .cfi_personality {encoding}, {personality}
    .cfi_lsda {plain}, .Ltable_middle
    push r12
    .cfi_def_cfa_offset 16
    push rbx
    .cfi_def_cfa_offset 24
    push rax
    .cfi_def_cfa_offset 32
    .cfi_offset rbx, -24
    .cfi_offset r12, -16
    lea r12, [rip + .Ltext_first]
    lea rbx, [rip + .Ltext_second]
.Lmiddle_call:
    call ori.t.bridge
.Lmiddle_called:
    add rsp, 8
    .cfi_def_cfa_offset 24
    pop rbx
    .cfi_def_cfa_offset 16
    pop r12
    .cfi_def_cfa_offset 8
    ret
.Lmiddle_pad:
    .cfi_def_cfa_offset 32
    mov [rsp], rax
    mov rdi, r12
    call ori_print
    mov rdi, [rsp]
.Lmiddle_resume:
    call _Unwind_Resume
.Lmiddle_resumed:
    ud2
.Lmiddle_outer_pad:
    mov rdi, rbx
    call ori_print
    mov rdi, rax
    call _Unwind_Resume
    .cfi_endproc
.Lmiddle_end:
    .size ori.t.middle, . - ori.t.middle

# Catches what `bridge` lets through, prints the message and what r13 names. The frame is reached by rbp, and has arguments below.
    .globl ori.t.catcher
    .type ori.t.catcher,@function
ori.t.catcher:
    .cfi_startproc
    .cfi_personality {encoding}, {personality}
    .cfi_lsda {plain}, .Ltable_catcher
    push rbp
    .cfi_def_cfa_offset 16
    .cfi_offset rbp, -16
    mov rbp, rsp
    .cfi_def_cfa_register rbp
    push r13
    sub rsp, 40
    .cfi_offset r13, -24
    lea r13, [rip + .Ltext_first]
.Lcatcher_call:
    call ori.t.bridge
.Lcatcher_called:
    ud2
.Lcatcher_pad:
    mov rdi, rsp
    call ori_caught
    mov rdi, rsp
    call ori_print
    mov rdi, r13
    call ori_print
    add rsp, 40
    pop r13
    pop rbp
    .cfi_def_cfa rsp, 8
    ret
    .cfi_endproc
    .size ori.t.catcher, . - ori.t.catcher

# Says nothing about its call.
    .globl ori.t.silent
    .type ori.t.silent,@function
ori.t.silent:
    .cfi_startproc
    push rax
    .cfi_def_cfa_offset 16
    call ori.t.thrower
    .cfi_endproc
    .size ori.t.silent, . - ori.t.silent

# Prints, and calls itself for ever.
    .globl ori.t.deep
    .type ori.t.deep,@function
ori.t.deep:
    .cfi_startproc
    .cfi_personality {encoding}, {personality}
    .cfi_lsda {plain}, .Ltable_deep
    push rax
    .cfi_def_cfa_offset 16
    lea rdi, [rip + .Ltext_debug]
    lea rsi, [rip + .Lplace_deep]
    call ori_debug_print_at
.Ldeep_again:
    sub rsp, 4096
    .cfi_adjust_cfa_offset 4096
.Ldeep_call:
    call .Ldeep_again
.Ldeep_called:
    ud2
.Ldeep_pad:
    mov rdi, rax
    call _Unwind_Resume
    .cfi_endproc
    .size ori.t.deep, . - ori.t.deep

# The entry of a program without native functions.
    .globl ori.t.start
    .type ori.t.start,@function
ori.t.start:
    .cfi_startproc
    .cfi_personality {encoding}, {personality}
    .cfi_lsda {plain}, .Ltable_start
    push rax
    .cfi_def_cfa_offset 16
.Lstart_call:
    call ori.t.thrower
.Lstart_called:
    ud2
.Lstart_pad:
    mov rdi, rax
    call _Unwind_Resume
    .cfi_endproc
    .size ori.t.start, . - ori.t.start

# What pads of LLVM call, so that the one of a static C library does not take its place.
    .type {resume},@function
{resume}:
    .cfi_startproc
    push rax
    .cfi_def_cfa_offset 16
    call ori_unwind_resume
    .cfi_endproc
    .size {resume}, . - {resume}

    .section .gcc_except_table,"a",@progbits
.Ltable_middle:
    .byte 0xff, {encoding}
    .uleb128 .Lmiddle_types - .Lmiddle_head
.Lmiddle_head:
    .byte 1
    .uleb128 .Lmiddle_actions - .Lmiddle_calls
.Lmiddle_calls:
    .uleb128 .Lmiddle_call - ori.t.middle
    .uleb128 .Lmiddle_called - .Lmiddle_call
    .uleb128 .Lmiddle_pad - ori.t.middle
    .uleb128 3
    .uleb128 .Lmiddle_resume - ori.t.middle
    .uleb128 .Lmiddle_resumed - .Lmiddle_resume
    .uleb128 .Lmiddle_outer_pad - ori.t.middle
    .uleb128 1
.Lmiddle_actions:
    .sleb128 2
    .sleb128 0
    .sleb128 1
    .sleb128 -3
    .balign 4
    .long {outer}
    .long {inner}
.Lmiddle_types:

.Ltable_catcher:
    .byte 0xff, {encoding}
    .uleb128 .Lcatcher_types - .Lcatcher_head
.Lcatcher_head:
    .byte 1
    .uleb128 .Lcatcher_actions - .Lcatcher_calls
.Lcatcher_calls:
    .uleb128 .Lcatcher_call - ori.t.catcher
    .uleb128 .Lcatcher_called - .Lcatcher_call
    .uleb128 .Lcatcher_pad - ori.t.catcher
    .uleb128 1
.Lcatcher_actions:
    .sleb128 1
    .sleb128 0
    .balign 4
    .long 0
.Lcatcher_types:

.Ltable_deep:
    .byte 0xff, {encoding}
    .uleb128 .Ldeep_types - .Ldeep_head
.Ldeep_head:
    .byte 1
    .uleb128 .Ldeep_actions - .Ldeep_calls
.Ldeep_calls:
    .uleb128 .Ldeep_call - ori.t.deep
    .uleb128 .Ldeep_called - .Ldeep_call
    .uleb128 .Ldeep_pad - ori.t.deep
    .uleb128 1
.Ldeep_actions:
    .sleb128 1
    .sleb128 0
    .balign 4
    .long {deep}
.Ldeep_types:

.Ltable_start:
    .byte 0xff, {encoding}
    .uleb128 .Lstart_types - .Lstart_head
.Lstart_head:
    .byte 1
    .uleb128 .Lstart_actions - .Lstart_calls
.Lstart_calls:
    .uleb128 .Lstart_call - ori.t.start
    .uleb128 .Lstart_called - .Lstart_call
    .uleb128 .Lstart_pad - ori.t.start
    .uleb128 1
.Lstart_actions:
    .sleb128 1
    .sleb128 0
    .balign 4
    .long {start}
.Lstart_types:

    .section .data.rel.ro,"aw",@progbits
    .balign 8
.Lplace_thrower:
    .quad {item_thrower}
    .long 3, 9
    .quad 0
.Lplace_inner:
    .quad {item_library}
    .long 2, 2
    .quad .Lplace_inlined
.Lplace_inlined:
    .quad {item_inner}
    .long 4, 6
    .quad 0
.Lplace_outer:
    .quad {item_middle}
    .long 5, 7
    .quad 0
.Lplace_deep:
    .quad {item_deep}
    .long 2, 3
    .quad 0
.Lplace_start:
    .quad {item_start}
    .long 1, 4
    .quad 0
.Lindirect_inner:
    .quad .Lplace_inner
.Lindirect_outer:
    .quad .Lplace_outer
.Lindirect_deep:
    .quad .Lplace_deep
.Lindirect_start:
    .quad .Lplace_start
.Lindirect_personality:
    .quad ori_personality
.Ltext_first:
    .quad {text_first}
.Ltext_second:
    .quad {text_second}
.Ltext_debug:
    .quad {text_debug}

    .section .note.GNU-stack,"",@progbits
