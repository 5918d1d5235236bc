//go:build unix

package main

import (
	"bytes"
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A reader of standard output that leaves takes no file along, and is nothing to
// complain about.
func TestFilesAreThereBeforeTheReaderLeaves(t *testing.T) {
	folder := t.TempDir()
	args := append(writers()["run --perfetto"], "--out", filepath.Join(folder, "out"), "--perfetto", filepath.Join(folder, "trace.json"),
		"--dram-trace", filepath.Join(folder, "requests.trc"), "--by-layer")
	c := exec.Command(program(t), args...)
	var stderr bytes.Buffer
	c.Stderr = &stderr
	r, w, err := os.Pipe()
	mustMake(t, err)
	r.Close() // nobody reads a single byte
	c.Stdout = w
	err = c.Run()
	w.Close()
	status, ok := c.ProcessState.Sys().(syscall.WaitStatus)
	if !errors.As(err, new(*exec.ExitError)) || !ok || !status.Signaled() || status.Signal() != syscall.SIGPIPE {
		t.Errorf("it ended with %v; others end by SIGPIPE", err)
	}
	if stderr.Len() > 0 {
		t.Errorf("it says %s", &stderr)
	}
	for _, name := range []string{"out/result.json", "out/result.csv", "out/result.txt", "out/report.html", "trace.json", "requests.trc"} {
		if info, err := os.Stat(filepath.Join(folder, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Standard output on a full disk is a failure of every command that prints.
func TestAFullStandardOutputFails(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip(err)
	}
	defer full.Close()
	lines := [][]string{nil, {"--help"}, {"run", "--help"}, {"version"}, {"completion", "bash"}}
	for name, args := range writers() {
		if name != "import activity --out" { // it prints, without --out
			args = append(args, name[strings.LastIndex(name, " ")+1:], filepath.Join(t.TempDir(), "out"))
		}
		if !slices.Contains([]string{"import scalesim --out", "import nir --out", "import torch --out", "export nir --out"}, name) && name != "figures --out" { // what is written is not printed
			lines = append(lines, args)
		}
	}
	for _, args := range lines {
		old := os.Stdout
		os.Stdout = full
		errs, err := os.CreateTemp(t.TempDir(), "")
		mustMake(t, err)
		oldErr := os.Stderr
		os.Stderr = errs
		status := execute(t.Context(), args)
		os.Stdout, os.Stderr = old, oldErr
		said, err := os.ReadFile(errs.Name())
		mustMake(t, err, errs.Close())
		if status != exitFailed || !strings.HasSuffix(string(said), "accelsim: writing to standard output: no space left on device\n") {
			t.Errorf("accelsim %s: exit %d, says %q", strings.Join(args, " "), status, said)
		}
	}
}

// started is a program that runs, with what it has said so far.
type started struct {
	*exec.Cmd
	said bytes.Buffer
}

func start(t *testing.T, args ...string) *started {
	t.Helper()
	s := &started{Cmd: exec.Command(program(t), args...)}
	s.Stderr = &s.said
	mustMake(t, s.Start())
	t.Cleanup(func() { _ = s.Process.Kill() })
	return s
}

// until waits for something to be there.
func until(t *testing.T, there func() bool) {
	t.Helper()
	for begun := time.Now(); !there(); time.Sleep(time.Millisecond) {
		if time.Since(begun) > time.Minute {
			t.Fatal("it does not come")
		}
	}
}

// Training that is asked to end keeps what it has, says how to go on, and goes on
// to the numbers of training that nobody disturbed.
func TestTrainingSurvivesSIGTERM(t *testing.T) {
	dir := t.TempDir()
	line := func(name string, more ...string) []string {
		args := append([]string{}, writers()["train --checkpoint"]...)
		return append(append(args, "--batch", "1", "--epochs", "3", "--checkpoint", filepath.Join(dir, name+".ckpt"),
			"--activity-out", filepath.Join(dir, name+".yaml"), "--format", "json"), more...)
	}
	invoke(t, 0, nil, program(t), line("undisturbed")...)
	for _, s := range []os.Signal{syscall.SIGTERM, os.Interrupt} {
		c := start(t, line("stopped", "--checkpoint-every", "1")...)
		until(t, func() bool { _, err := os.Stat(filepath.Join(dir, "stopped.ckpt")); return err == nil })
		mustMake(t, c.Process.Signal(s))
		_ = c.Wait()
		checkpoint := filepath.Join(dir, "stopped.ckpt")
		if said := c.said.String(); c.ProcessState.ExitCode() != exitFailed || !strings.Contains(said, "accelsim: interrupted (") ||
			!strings.HasSuffix(said, checkpoint+" keeps what was trained: the same command with --resume goes on from there\n") {
			t.Errorf("%v: exit %d, says %s", s, c.ProcessState.ExitCode(), said)
		}
		invoke(t, 0, nil, program(t), line("stopped", "--resume")...)
		for _, name := range []string{".ckpt", ".yaml"} {
			want, errA := os.ReadFile(filepath.Join(dir, "undisturbed"+name))
			got, errB := os.ReadFile(filepath.Join(dir, "stopped"+name))
			if err := errors.Join(errA, errB); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%v: stopped%s has not the bytes of undisturbed%s (%v)", s, name, name, err)
			}
			mustMake(t, os.Remove(filepath.Join(dir, "stopped"+name)))
		}
	}
}

// A signal while files are written removes those that are not complete.
func TestASignalLeavesNoTemporaryFile(t *testing.T) {
	for _, s := range []os.Signal{syscall.SIGTERM, os.Interrupt, syscall.SIGHUP} {
		folder := t.TempDir()
		fifo := filepath.Join(folder, "result.json") // nobody reads it: the set waits, its other files under temporary names
		mustMake(t, syscall.Mkfifo(fifo, 0o600))
		c := start(t, append(writers()["run --out"], "--out", folder)...)
		temporary := func() []string { names, _ := filepath.Glob(filepath.Join(folder, ".accelsim-tmp-*")); return names }
		until(t, func() bool { return len(temporary()) > 1 })
		mustMake(t, c.Process.Signal(s))
		_ = c.Wait()
		if status, ok := c.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != s {
			t.Errorf("%v: it ended with %v", s, c.ProcessState)
		}
		if left := temporary(); left != nil {
			t.Errorf("%v: left behind: %v", s, left)
		}
		// A kill cannot be helped, but the next run cleans up.
		c = start(t, append(writers()["run --out"], "--out", folder)...)
		until(t, func() bool { return len(temporary()) > 1 })
		mustMake(t, c.Process.Kill())
		_ = c.Wait()
		if temporary() == nil {
			t.Error("a kill was noticed")
		}
		mustMake(t, os.Remove(fifo))
		invoke(t, 0, nil, program(t), append(writers()["run --out"], "--out", folder)...)
		if left := temporary(); left != nil {
			t.Errorf("not swept: %v", left)
		}
	}
}

// A design that is written over another is one or the other whenever it is killed,
// or says that it is neither.
func TestADesignIsNeverHalfAnother(t *testing.T) {
	folder := t.TempDir()
	formats := []string{"q4.12", "q5.11"}
	line := func(q, out string) []string {
		return []string{
			"hdl", "--net", "lenet1", "--k", "4", "--n", "2", "--vectors", "200", "--force", "--datapath", q, "--out", filepath.Join(folder, out),
		}
	}
	files := func(out string) map[string]string {
		all := map[string]string{}
		mustMake(t, filepath.WalkDir(filepath.Join(folder, out), func(path string, e os.DirEntry, err error) error {
			if err != nil || e.IsDir() || strings.HasPrefix(e.Name(), ".accelsim-tmp-") {
				return err
			}
			text, err := os.ReadFile(path)
			all[strings.TrimPrefix(path, filepath.Join(folder, out))] = string(text)
			return err
		}))
		return all
	}
	whole := map[string]map[string]string{}
	var took time.Duration
	for _, q := range formats {
		begun := time.Now()
		invoke(t, 0, nil, program(t), line(q, q)...)
		took = time.Since(begun)
		whole[q] = files(q)
	}
	invoke(t, 0, nil, program(t), line(formats[0], "out")...)
	found := map[string]int{}
	const kills = 10
	for i := range kills {
		c := start(t, line(formats[(i+1)%2], "out")...)
		time.Sleep(took * time.Duration(i+1) / kills)
		_ = c.Process.Kill()
		_ = c.Wait()
		is := "neither"
		left := files("out")
		for _, q := range formats {
			if maps.Equal(left, whole[q]) {
				is = q
			}
		}
		if _, marked := left["/INCOMPLETE.accelsim.txt"]; marked {
			is = "marked"
		}
		found[is]++
	}
	if found["neither"] > 0 {
		t.Errorf("after %d kills the folder had: %v", kills, found)
	}
	t.Logf("%v", found)
	invoke(t, 0, nil, program(t), line(formats[0], "out")...)
	if !maps.Equal(files("out"), whole[formats[0]]) {
		t.Error("written again it is not whole")
	}
	left, _ := filepath.Glob(filepath.Join(folder, "out", "*", ".accelsim-tmp-*"))
	if top, _ := filepath.Glob(filepath.Join(folder, "out", ".accelsim-tmp-*")); left != nil || top != nil {
		t.Errorf("not swept: %v, %v", left, top)
	}
}

// What a file that cannot be written costs is that file.
func TestAFullDiskCostsOneFile(t *testing.T) {
	folder := t.TempDir()
	at := func(name string) string { return filepath.Join(folder, name) }
	device(7)(t, at("full"))
	status, stdout, stderr := commandLine(t, append(writers()["run --dump"], "--dump", at("full"), "--out", at("out"))...)
	if status != exitFailed || len(stdout) < 100 || strings.Count(stderr, "\n") != 1 {
		t.Errorf("exit %d, prints %d bytes, says %q", status, len(stdout), stderr)
	}
	if _, err := os.Stat(at("out/result.json")); err != nil {
		t.Error(err)
	}
	// Training goes on without its checkpoint, and says so.
	args := append(writers()["train --checkpoint"], "--checkpoint", at("full"), "--activity-out", at("a.yaml"), "--epochs", "2")
	status, stdout, stderr = commandLine(t, args...)
	if status != exitFailed || !strings.Contains(stdout, "Accuracy") || strings.Count(stderr, "training goes on") != 2 {
		t.Errorf("exit %d, prints %q, says %q", status, stdout, stderr)
	}
	if _, err := os.Stat(at("a.yaml")); err != nil {
		t.Error(err)
	}
}
