package portable

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// program is accelsim, built for a processor.
type program struct{ command []string }

// build returns the program for a processor, run by an emulator if one is named.
func build(t *testing.T, to target, emulator ...string) program {
	t.Helper()
	name := filepath.Join(t.TempDir(), "accelsim")
	cmd := exec.Command("go", "build", "-o", name, "github.com/accelsim-dev/accelsim/cmd/accelsim")
	cmd.Env = to.environment()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", cmd.Args, err, out)
	}
	return program{append(emulator, name)}
}

func (p program) run(t *testing.T, args ...string) []byte {
	t.Helper()
	var stderr bytes.Buffer
	cmd := exec.Command(p.command[0], append(p.command[1:], args...)...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if strings.Contains(stderr.String(), "microarchitecture support") {
		t.Skip(strings.TrimSpace(stderr.String()))
	}
	if err != nil {
		t.Fatalf("%v: %v\n%s", cmd.Args, err, stderr.Bytes())
	}
	return out
}

// results returns, by name, what a processor makes of work that rests on all
// float64 arithmetic: the tensors of a verification by trainer and machine, and
// the energies of runs.
func (p program) results(t *testing.T) map[string][]byte {
	t.Helper()
	dir := t.TempDir()
	golden, machine := filepath.Join(dir, "golden.npz"), filepath.Join(dir, "machine.npz")
	list := map[string][]byte{
		"verify": p.run(t, "verify", "--net", "testdata/norm-adam.yaml", "--k", "3", "--n", "2",
			"--dump-golden", golden, "--dump-sim", machine),
	}
	for name, path := range map[string]string{"tensors of the trainer": golden, "tensors of the machine": machine} {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		list[name] = data
	}
	for _, hw := range []string{"paper", "zcu102", "edge-lpddr4", "asic-28nm"} {
		list["run on "+hw] = p.run(t, "run", "--net", "testdata/norm-adam.yaml", "--k", "3", "--n", "2", "--hw", hw, "--format", "csv")
	}
	return list
}

// TestOtherProcessorsHaveTheSameBits runs the program for the oldest amd64, for
// GOAMD64=v3 where this processor has it, and for arm64 where qemu is there.
func TestOtherProcessorsHaveTheSameBits(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program for three processors")
	}
	want := build(t, target{"amd64", "GOAMD64=v1"}).results(t)
	compare := func(t *testing.T, p program) {
		for name, got := range p.results(t) {
			if !bytes.Equal(got, want[name]) {
				t.Errorf("%s differs from amd64's", name)
			}
		}
	}
	t.Run("amd64 v3", func(t *testing.T) { compare(t, build(t, targets[0])) })
	t.Run("arm64", func(t *testing.T) {
		emulator, err := exec.LookPath("qemu-aarch64-static")
		if errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
			t.Skip("no qemu-aarch64-static (Debian's qemu-user-static)")
		}
		compare(t, build(t, targets[1], emulator))
	})
}
