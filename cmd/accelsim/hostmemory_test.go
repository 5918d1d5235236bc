package main

import (
	"io/fs"
	"math"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/accelsim-dev/accelsim/network"
)

func computer(files map[string]string) fs.FS {
	root := fstest.MapFS{}
	for name, text := range files {
		root[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return root
}

// The forms are those of proc(5) and of the kernel's documentation of control groups.
func TestFreeMemory(t *testing.T) {
	meminfo := "MemTotal:       24683704 kB\nMemFree:        19118080 kB\nMemAvailable:   23681024 kB\n"
	for _, c := range []struct {
		files map[string]string
		want  uint64
	}{
		{nil, math.MaxUint64},
		{map[string]string{"proc/meminfo": meminfo}, 23681024 * 1024},
		{map[string]string{"proc/meminfo": "MemAvailable: many kB\n"}, math.MaxUint64},
		{map[string]string{"proc/meminfo": meminfo, "sys/fs/cgroup/memory.max": "max\n", "sys/fs/cgroup/memory.current": "5\n"}, 23681024 * 1024},
		{map[string]string{"proc/meminfo": meminfo, "sys/fs/cgroup/memory.max": "1000\n", "sys/fs/cgroup/memory.current": "400\n"}, 600},
		{map[string]string{
			"sys/fs/cgroup/memory/memory.limit_in_bytes": "900\n", "sys/fs/cgroup/memory/memory.usage_in_bytes": "100\n",
		}, 800},
	} {
		if got := freeMemory(computer(c.files)); got != c.want {
			t.Errorf("%v: %d, want %d", c.files, got, c.want)
		}
	}
}

func TestVerifyNeedsHostMemory(t *testing.T) {
	w, err := network.Open("lenet1")
	if err != nil {
		t.Fatal(err)
	}
	w.Batch, w.Timesteps = 16, 20
	// Three times a footprint of 1 MB and 16 samples of 20 frames of 2 x 28 x 28 words.
	frames := 16 * 20 * w.Net.Input.Size() * 4
	needs := uint64(3 * (1_000_000 + frames))
	if err := checkHostMemory(w, 1_000_000, needs); err != nil {
		t.Error(err)
	}
	if err := checkHostMemory(w, 1_000_000, needs-1); err == nil || !strings.Contains(err.Error(), "lenet1 at batch 16 takes 0.0 GB") {
		t.Error(err)
	}
}

// Before anything is allocated, with exit status 2.
func TestVerifyRefusesWhatDoesNotFitInMemory(t *testing.T) {
	before := thisComputer
	defer func() { thisComputer = before }()
	thisComputer = computer(map[string]string{"proc/meminfo": "MemAvailable: 65536 kB\n"})
	code, _, stderr := commandLine(t, "verify", "--net", "lenet1", "--k", "20", "--batch", "128")
	if code != 2 || !strings.Contains(stderr, "of this computer's memory to verify, and 0.1 GB are free; give a smaller --batch") {
		t.Errorf("%d: %s", code, stderr)
	}
}
