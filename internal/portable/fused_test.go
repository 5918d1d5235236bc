package portable

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// drawing packages hold no arithmetic of results: gonum's plot, which draws
// their charts, is fused itself.
var drawing = []string{"github.com/accelsim-dev/accelsim/internal/figures", "github.com/accelsim-dev/accelsim/cmd/accelsim"}

// targets are processors whose code the compiler fuses.
var targets = []target{{"amd64", "GOAMD64=v3"}, {"arm64", "GOARM64=v8.0"}}

type target struct{ arch, level string }

func (t target) environment() []string {
	return append(os.Environ(), "GOOS=linux", "CGO_ENABLED=0", "GOARCH="+t.arch, t.level)
}

var (
	function = regexp.MustCompile(`^(\S+) STEXT `)
	symbol   = regexp.MustCompile(`^\S+ S[A-Z]+ `)
	// instruction is an offset, the offset again, the source line, and the code.
	instruction = regexp.MustCompile(`^\t0x[0-9a-f]+ \d+ \(([^)]*)\)\t(.*)`)
	fused       = regexp.MustCompile(`^V?FN?M(ADD|SUB)\w*\t`)
	ownFunction = regexp.MustCompile(`(?i)^(CALL|JMP)\tmath\.(arch)?(a?(sin|cos|tan)h?|atan2|sincos|exp|exp2|expm1|log|log10|log1p|log2|pow|erf|erfc|erfinv|erfcinv|cbrt|hypot|l?gamma)(\.abi0)?\(SB\)`)
)

// compiledBad compiles packages for a target and returns each instruction whose
// result depends on the processor, with its function and line.
func compiledBad(t *testing.T, to target, packages ...string) (bad []string) {
	t.Helper()
	cmd := exec.Command("go", append([]string{"build", "-gcflags=github.com/accelsim-dev/accelsim/...=-S"}, packages...)...)
	cmd.Env = to.environment()
	listing, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(listing)
	lines.Buffer(nil, 1<<20)
	in, functions := "", 0
	var rest []string
	for lines.Scan() {
		line := lines.Text()
		if name := function.FindStringSubmatch(line); name != nil {
			in = name[1]
			functions++
			continue
		}
		code := instruction.FindStringSubmatch(line)
		switch {
		case code == nil:
			if !strings.HasPrefix(line, "\t") && !symbol.MatchString(line) && len(rest) < 20 {
				rest = append(rest, line) // of a failed build
			}
		case fused.MatchString(code[2]):
			bad = append(bad, fmt.Sprintf("%s: %s: %s is a product and a sum with one rounding; convert the product: float64(x*y) + z",
				code[1], in, strings.Fields(code[2])[0]))
		case ownFunction.MatchString(code[2]):
			bad = append(bad, fmt.Sprintf("%s: %s: %s has other bits on other processors; package elementary has the same",
				code[1], in, strings.Fields(code[2])[1]))
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v: %v\n%s", cmd.Args, err, strings.Join(rest, "\n"))
	}
	if functions == 0 {
		t.Fatalf("the compiler listed no functions of %v", packages)
	}
	return bad
}

// TestResultsRestOnNoFusedInstruction reads the machine code of every package of
// the module but those that draw.
func TestResultsRestOnNoFusedInstruction(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles the module for two other processors")
	}
	out, err := exec.Command("go", "list", "-f", "{{if .GoFiles}}{{.ImportPath}}{{end}}", "github.com/accelsim-dev/accelsim/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	packages := slices.DeleteFunc(strings.Fields(string(out)), func(p string) bool {
		return slices.Contains(drawing, p) || p == "github.com/accelsim-dev/accelsim/internal/portable"
	})
	for _, name := range []string{"golden", "sim", "pe", "energy", "dram", "tiling", "analytic", "internal/design", "report", "units"} {
		if !slices.Contains(packages, "github.com/accelsim-dev/accelsim/"+name) {
			t.Errorf("the machine code of %s is not read", name)
		}
	}
	for _, to := range targets {
		t.Run(to.arch, func(t *testing.T) {
			for _, b := range compiledBad(t, to, packages...) {
				t.Error(b)
			}
		})
	}
}

// TestAssemblyHasNoFusedInstruction: what is written by hand rounds as Go does.
func TestAssemblyHasNoFusedInstruction(t *testing.T) {
	written := regexp.MustCompile(`(?m)^\s*V?FN?M(ADD|SUB)\w*\s`)
	files, err := filepath.Glob("../../*/*.s")
	if err != nil || len(files) == 0 {
		t.Fatalf("no assembly found: %v", err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if at := written.Find(text); at != nil {
			t.Errorf("%s has %s, which rounds once", name, strings.TrimSpace(string(at)))
		}
	}
}

// TestCheckOfMachineCodeSeesWhatIsWrong: the check above finds a fused sum and a
// processor's own exponential by function and line, and nothing else.
func TestCheckOfMachineCodeSeesWhatIsWrong(t *testing.T) {
	for _, to := range targets {
		t.Run(to.arch, func(t *testing.T) {
			bad := compiledBad(t, to, "./testdata/fused")
			if len(bad) != 2 || !strings.Contains(bad[0], "fused.go:8: github.com/accelsim-dev/accelsim/internal/portable/testdata/fused.Sum:") ||
				!strings.Contains(bad[1], "fused.Exponential: math.archExp(SB)") {
				t.Errorf("found:\n%s", strings.Join(bad, "\n"))
			}
		})
	}
}
