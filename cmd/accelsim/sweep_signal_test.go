package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A signal stops the points under way, however long they take; what is finished
// is kept, and the same command goes on from there.
func TestSweepEndsWhenASignalComes(t *testing.T) {
	accelsim := program(t)
	dir := t.TempDir()
	grid := filepath.Join(dir, "grid.yaml")
	// 24 points of milliseconds, and one of minutes.
	const points = "net: lenet1\npoints:\n- {k: all, n: all}\n- {net: alexnet, hw: zcu102, set: {onchip.capacity: 64KiB}, k: 10, n: 1}\n"
	if err := os.WriteFile(grid, []byte(points), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		out := filepath.Join(dir, signal.String())
		c := exec.Command(accelsim, "sweep", "--grid", grid, "--out", out)
		var said bytes.Buffer
		c.Stderr = &said
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		waitFor(t, "journal of 24 points", func() bool { return finishedPoints(t, out) == 24 })
		told := time.Now()
		if err := c.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
		late := time.AfterFunc(time.Minute, func() { _ = c.Process.Kill() })
		_ = c.Wait()
		late.Stop()
		if took := time.Since(told); took > 20*time.Second || c.ProcessState.ExitCode() != exitFailed {
			t.Errorf("%v: it ended after %v with status %d", signal, took, c.ProcessState.ExitCode())
		}
		for _, want := range []string{"stopping the points under way", "another signal ends at once", "with 24 of 25 points finished; what is finished is kept in " + out} {
			if !strings.Contains(said.String(), want) {
				t.Errorf("%v: it does not say %q but: %s", signal, want, &said)
			}
		}
		if finishedPoints(t, out) != 24 {
			t.Errorf("%v: %d points are kept, want 24", signal, finishedPoints(t, out))
		}
	}
}

// finishedPoints counts the whole lines of the journals in a folder, without
// their headers.
func finishedPoints(t *testing.T, out string) (n int) {
	t.Helper()
	journals, err := filepath.Glob(filepath.Join(out, "points", "*", "shard-*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range journals {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		n += bytes.Count(text, []byte(`"key":"`))
		if !bytes.HasSuffix(text, []byte("\n")) {
			n--
		}
	}
	return n
}
