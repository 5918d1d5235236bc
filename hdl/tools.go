package hdl

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/accelsim-dev/accelsim/internal/output"
)

// MissingTool says that a program is not installed.
type MissingTool struct{ Name string }

// Error says how to install it.
func (e *MissingTool) Error() string {
	return fmt.Sprintf("%s is not installed; on Debian: apt-get install %s", e.Name, e.Name)
}

// FindTool returns a [MissingTool] if a program is not there.
func FindTool(name string) error {
	if _, err := exec.LookPath(name); err != nil {
		return &MissingTool{name}
	}
	return nil
}

// tool runs a program in a folder and returns what it printed.
func tool(ctx context.Context, folder, name string, args ...string) (string, error) {
	if err := FindTool(name); err != nil {
		return "", err
	}
	c := exec.CommandContext(ctx, name, args...)
	c.Dir = folder
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	err := c.Run()
	if err != nil {
		err = fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, tail(out.String()))
	}
	return out.String(), err
}

// tail returns the end of what a tool printed.
func tail(text string) string {
	const enough = 4000
	if len(text) > enough {
		return ".. " + text[len(text)-enough:]
	}
	return text
}

// Simulator runs a testbench.
type Simulator string

// The simulators.
const (
	Icarus    Simulator = "iverilog"
	Verilator Simulator = "verilator"
)

// Simulate builds and runs a testbench module of a folder and returns what it
// printed. It fails unless the testbench says PASS.
func (s Simulator) Simulate(ctx context.Context, folder, module string) (string, error) {
	build, err := os.MkdirTemp("", "accelsim-hdl-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(build)
	source := filepath.Join("tb", module+".v")
	var out string
	switch s {
	case Icarus:
		program := filepath.Join(build, "simulation")
		if _, err = tool(ctx, folder, "iverilog", "-g2005", "-Wall", "-s", module, "-y", "rtl", "-y", "tb", "-o", program, source); err == nil {
			out, err = tool(ctx, folder, "vvp", "-n", program)
		}
	case Verilator:
		// Testbenches are not synthesizable; the RTL is linted on its own.
		args := []string{"--binary", "-O3", "-Wno-fatal", "-Wno-WIDTH", "--top-module", module, "-y", "rtl", "-y", "tb", "--Mdir", build, "-o", "simulation", "-CFLAGS", "-O1", source}
		if _, err = tool(ctx, folder, "verilator", args...); err == nil {
			out, err = tool(ctx, folder, filepath.Join(build, "simulation"))
		}
	default:
		return "", fmt.Errorf("simulator %q; there are %s and %s", s, Icarus, Verilator)
	}
	if err != nil {
		return out, err
	}
	if strings.Contains(out, "FAIL") || !strings.Contains(out, "PASS") {
		return out, &Mismatch{s, module, out}
	}
	return out, nil
}

// Mismatch says that the RTL is not what the model is.
type Mismatch struct {
	Simulator Simulator
	Module    string
	Output    string
}

// Error shows the first differences.
func (e *Mismatch) Error() string {
	var lines []string
	for _, line := range strings.Split(e.Output, "\n") {
		if strings.HasPrefix(line, "MISMATCH") && len(lines) < 4 {
			lines = append(lines, line)
		}
	}
	if lines == nil {
		lines = []string{"the testbench did not finish"}
	}
	return fmt.Sprintf("%s: %s: %s", e.Simulator, e.Module, strings.Join(lines, "; "))
}

// write puts files into a folder: all, or none.
func write(folder string, files []file) error {
	set := make([]output.File, len(files))
	for i, f := range files {
		set[i] = output.Text(f.name, []byte(f.text))
	}
	return output.WriteFolder(folder, set)
}
