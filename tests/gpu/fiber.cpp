// Stack switching on x86-64: the registers that a call preserves, and the stack pointer.
#include "tests/gpu/fiber.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <new>
#include <utility>

extern "C" void tilewright_simt_switch(void** save, void* load);
extern "C" void tilewright_simt_begin();

asm(R"(
.text
.globl tilewright_simt_switch
.type tilewright_simt_switch, @function
tilewright_simt_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size tilewright_simt_switch, . - tilewright_simt_switch

.globl tilewright_simt_begin
.type tilewright_simt_begin, @function
tilewright_simt_begin:
  movq %rbx, %rdi
  call *%r12
  ud2
.size tilewright_simt_begin, . - tilewright_simt_begin
)");

namespace tilewright::simt {

Fiber::Fiber(std::size_t stack_bytes) {
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  mapped_ = page + (stack_bytes + page - 1) / page * page;
  void* memory = mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  mapping_ = static_cast<std::byte*>(memory);
  mprotect(mapping_, page, PROT_NONE);
}

Fiber::Fiber(Fiber&& other) noexcept : mapping_(std::exchange(other.mapping_, nullptr)), mapped_(other.mapped_) {}

Fiber::~Fiber() {
  if (mapping_ != nullptr) munmap(mapping_, mapped_);
}

void Fiber::start(std::function<void()> work) {
  work_ = std::move(work);
  finished_ = false;
  // What tilewright_simt_switch() pops: r15, r14, r13, r12, rbx, rbp, the return address. The stack is aligned to 16 bytes where tilewright_simt_begin() begins.
  auto* top = reinterpret_cast<void**>(mapping_ + mapped_ - 64);
  *--top = reinterpret_cast<void*>(&tilewright_simt_begin);
  *--top = nullptr;
  *--top = this;
  *--top = reinterpret_cast<void*>(&Fiber::enter);
  for (int i = 0; i < 3; ++i) *--top = nullptr;
  own_ = top;
}

void Fiber::enter(Fiber* self) {
  self->work_();
  self->finished_ = true;
  self->suspend();
}

void Fiber::resume() { tilewright_simt_switch(&caller_, own_); }

void Fiber::suspend() { tilewright_simt_switch(&own_, caller_); }

}  // namespace tilewright::simt
