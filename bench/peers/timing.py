"""Times of PyTorch calls as `tilewright bench` takes its own: cold caches before each run, two events around it, medians."""

import time

import torch


class Timer:
    def __init__(self, device, flush_bytes, budget_ms):
        self.device = torch.device(device)
        self.budget_ms = budget_ms
        self.other_memory = torch.zeros(flush_bytes // 4, dtype=torch.int32, device=self.device)

    def runs(self, call):
        """Milliseconds of each run, after warming up; compiling and tuning of the peer belong to the warm-up."""
        for _ in range(3):
            call()
        each = max(sorted(self._batch(call, 3))[1], 1e-4)
        count = min(max(int(self.budget_ms / each), 10), 1000)
        times = []
        while len(times) < count:
            times += self._batch(call, min(50, count - len(times)))
        return times

    def _make_caches_cold(self):
        """Reads, since written lines would go back to memory while the call runs."""
        self.other_memory.amax()

    def _batch(self, call, count):
        return self._on_gpu(call, count) if self.device.type == "cuda" else self._on_cpu(call, count)

    def _on_gpu(self, call, count):
        marks = []
        for _ in range(count):
            start, stop = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
            self._make_caches_cold()
            start.record()
            call()
            stop.record()
            marks.append((start, stop))
        torch.cuda.synchronize(self.device)
        return [start.elapsed_time(stop) for start, stop in marks]

    def _on_cpu(self, call, count):
        times = []
        for _ in range(count):
            self._make_caches_cold()
            start = time.perf_counter()
            call()
            times.append((time.perf_counter() - start) * 1e3)
        return times
