package main

import (
	"fmt"
	"io/fs"
	"math"
	"os"
	"strconv"
	"strings"

	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/units"
)

// hostCopies is how many times verify keeps the tensors of an iteration: in the
// simulated memory, in the golden trainer, and as input and results. The garbage
// collector takes up to twice as much where there is room.
const hostCopies = 3

// checkHostMemory refuses to verify what this computer has not the memory for,
// before anything is allocated. The footprint is that of the simulated DRAM.
func checkHostMemory(w *network.Workload, footprint units.Bytes, free uint64) error {
	frames := float64(w.Timesteps) * float64(w.Batch) * float64(w.Net.Input.Size()) * units.WordBytes
	needs := hostCopies * (float64(footprint) + frames)
	if needs <= float64(free) {
		return nil
	}
	return fmt.Errorf("%s at batch %d takes %.1f GB of this computer's memory to verify, and %.1f GB are free; give a smaller --batch or --k",
		w.Name, w.Batch, needs/1e9, float64(free)/1e9)
}

// freeMemory returns the bytes that a process can still take on a Linux machine,
// within its control group; where nothing says so, there is no end.
func freeMemory(root fs.FS) uint64 {
	free := uint64(math.MaxUint64)
	for line := range strings.Lines(readFile(root, "proc/meminfo")) {
		if rest, ok := strings.CutPrefix(line, "MemAvailable:"); ok {
			if kib, err := strconv.ParseUint(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 54); err == nil {
				free = kib << 10
			}
		}
	}
	for _, group := range [][2]string{
		{"sys/fs/cgroup/memory.max", "sys/fs/cgroup/memory.current"},
		{"sys/fs/cgroup/memory/memory.limit_in_bytes", "sys/fs/cgroup/memory/memory.usage_in_bytes"},
	} {
		most, err := strconv.ParseUint(strings.TrimSpace(readFile(root, group[0])), 10, 64)
		taken, err2 := strconv.ParseUint(strings.TrimSpace(readFile(root, group[1])), 10, 64)
		if err == nil && err2 == nil && taken <= most {
			free = min(free, most-taken)
		}
	}
	return free
}

func readFile(root fs.FS, name string) string {
	text, err := fs.ReadFile(root, name)
	if err != nil {
		return ""
	}
	return string(text)
}

// thisComputer is where freeMemory looks.
var thisComputer fs.FS = os.DirFS("/")
