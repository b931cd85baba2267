// Code that refers to what is around it in every way that position-independent code can, for tests of the loader. Each entry has the calling convention of runtime/artifact.h; args[0] is the address
// of a double, which it changes.
extern "C" {

// A table of addresses among the constants.
__asm__(R"(
        .pushsection .rodata
        .p2align 3
table:  .quad add_one
        .quad add_one + 0
        .popsection
        .pushsection .text.through_table,"ax",@progbits
        .globl through_table
        .type through_table,@function
through_table:
        jmp *table+8(%rip)
        .size through_table,.-through_table
        .popsection
)");

// The address of a function of its own, and of one outside, through the global offset table, with and without an instruction that a linker may relax.
__asm__(R"(
        .pushsection .text
        .globl through_got
        .type through_got,@function
through_got:
        push %rbx
        mov (%rdi),%rbx
        movq add_one@GOTPCREL(%rip),%rax
        call *%rax
        movsd (%rbx),%xmm0
        call *log2@GOTPCREL(%rip)
        movsd %xmm0,(%rbx)
        pop %rbx
        ret
        .size through_got,.-through_got
        .popsection
)");

// Calls of a function outside, with and without a name for its stub.
__asm__(R"(
        .pushsection .text
        .globl calls_outside
        .type calls_outside,@function
calls_outside:
        push %rbx
        mov (%rdi),%rbx
        movsd (%rbx),%xmm0
        call sqrt@PLT
        call sqrt
        addsd two(%rip),%xmm0
        movsd %xmm0,(%rbx)
        pop %rbx
        ret
        .size calls_outside,.-calls_outside
        .popsection
        .pushsection .rodata.cst8,"aM",@progbits,8
two:    .double 2.0
        .popsection
)");

void add_one(const unsigned long* args, const long*, const long*, char*) { *reinterpret_cast<double*>(args[0]) += 1; }
}
