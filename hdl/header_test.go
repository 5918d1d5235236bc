package hdl

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/accelsim-dev/accelsim/hardware"
	"github.com/accelsim-dev/accelsim/network"
)

// design returns the design of a network on the paper's hardware, but for a
// small array: linters elaborate every PE, and 1024 of them take a minute.
func design(t *testing.T, w *network.Workload, k, n int, q string) *Design {
	t.Helper()
	hw, err := hardware.Open("paper")
	if err != nil {
		t.Fatal(err)
	}
	hw.PE.Rows, hw.PE.Columns, hw.PE.Lanes = 2, 3, 2
	d, err := New(Options{Workload: w, Hardware: hw, K: k, N: n, Formats: formats(t, q), Vectors: 16, Seed: 1, Command: "test"})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func builtin(t *testing.T, name string) *network.Workload {
	t.Helper()
	w, err := network.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// clean runs a linter, which must say nothing.
func clean(t *testing.T, ctx context.Context, dir, name string, args ...string) {
	t.Helper()
	out, err := tool(ctx, dir, name, args...)
	if err != nil {
		t.Error(err)
	} else if out = strings.TrimSpace(out); out != "" {
		t.Errorf("%s %s:\n%s", name, strings.Join(args, " "), out)
	}
}

func TestHeadersOfAllNetworksLintClean(t *testing.T) {
	need(t, "verilator", "iverilog")
	for _, c := range []struct {
		net  string
		k, n int
	}{{"lenet1", 4, 2}, {"lenet2", 10, 1}, {"alexnet", 10, 1}, {"vgg11", 10, 1}, {"resnet18", 1, 1}} {
		t.Run(c.net, func(t *testing.T) {
			lint(t, design(t, builtin(t, c.net), c.k, c.n, "q6.12"))
		})
	}
}

// lint has verilator and iverilog elaborate the folder's tops, who must say
// nothing.
func lint(t *testing.T, d *Design) {
	t.Helper()
	dir := t.TempDir()
	if err := d.Write(dir, false); err != nil {
		t.Fatal(err)
	}
	ctx := limited(t)
	clean(t, ctx, dir, "verilator", "--lint-only", "-Wall", "-I.", "-y", "rtl", "--top-module", "accelsim_top", "accelsim_top.v")
	clean(t, ctx, dir, "verilator", "--lint-only", "-Wall", "--top-module", "accelsim_pkg_top", "accelsim_pkg.sv", "accelsim_pkg_top.sv")
	clean(t, ctx, dir, "iverilog", "-g2005", "-Wall", "-I.", "-y", "rtl", "-s", "accelsim_top", "-o", filepath.Join(t.TempDir(), "checked"), "accelsim_top.v")
	clean(t, ctx, dir, "iverilog", "-g2012", "-Wall", "-I.", "-y", "rtl", "-s", "accelsim_top", "-o", filepath.Join(t.TempDir(), "checked"), "accelsim_top.v")
	clean(t, ctx, dir, "iverilog", "-g2012", "-Wall", "-s", "accelsim_pkg_top", "-o", filepath.Join(t.TempDir(), "checked"), "accelsim_pkg.sv", "accelsim_pkg_top.sv")
}

func TestHeadersOfBlocksLintClean(t *testing.T) {
	need(t, "verilator", "iverilog")
	text, err := os.ReadFile("testdata/fc-block.yaml")
	if err != nil {
		t.Fatal(err)
	}
	hw, err := hardware.Open("testdata/small.yaml")
	if err != nil {
		t.Fatal(err)
	}
	const q = "w=q2.14,u=q4.12,e=q4.12,g=q6.10"
	for _, c := range []struct {
		name, workload, formats string
		k, n                    int
	}{
		{"one layer", string(text), q, 3, 1},
		{"k = 1", string(text), q, 1, 1},
		{"random classifier", string(text) + "training: {classifier: random}\n", "q4.12", 6, 1},
		{"tables of more than 64 bits", small, "q4.12", 2, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, err := New(Options{Workload: workload(t, c.workload), Hardware: hw, K: c.k, N: c.n, Formats: formats(t, c.formats), Vectors: 4, Seed: 1, Command: "test"})
			if err != nil {
				t.Fatal(err)
			}
			if d.Block == nil {
				t.Fatal(d.NoBlock)
			}
			lint(t, d)
		})
	}
}

// Two modules of a compilation include the header, beside names of their own,
// and use what they like of it; two files include the package.
func TestHeaderServesEveryModuleThatIncludesIt(t *testing.T) {
	need(t, "verilator", "iverilog")
	dir := t.TempDir()
	bench := func(of string) file {
		return file{"two.sv", "`include \"accelsim_pkg.sv\"\n`include \"accelsim_pkg.sv\"\n" + of}
	}
	const text = `module inner (output wire [31:0] y);
  ` + "`include \"accelsim_params.vh\"" + `
  localparam integer K = 7;
  assign y = ACCELSIM_K + K;
endmodule
module two (output wire [31:0] y, output wire [31:0] z);
  ` + "`include \"accelsim_params.vh\"" + `
  assign z = ACCELSIM_BATCH + accelsim_pkg::ACCELSIM_BATCH;
  inner inner (.y(y));
endmodule
`
	if err := write(dir, append(design(t, workload(t, small), 2, 2, "q4.12").Files(), bench(text))); err != nil {
		t.Fatal(err)
	}
	clean(t, limited(t), dir, "verilator", "--lint-only", "-Wall", "-Wno-DECLFILENAME", "-I.", "--top-module", "two", "two.sv")
	clean(t, limited(t), dir, "iverilog", "-g2012", "-Wall", "-I.", "-s", "two", "-o", filepath.Join(t.TempDir(), "checked"), "two.sv")
}

// Every name that header and package give to others' modules has the prefix.
func TestNamesOfHeaderAndPackageHaveThePrefix(t *testing.T) {
	d := design(t, workload(t, small), 2, 2, "q4.12")
	declared := regexp.MustCompile(`(?m)^\s*localparam [^=]*?(\w+) =`)
	for _, text := range []string{d.header(), d.pkg()} {
		names := declared.FindAllStringSubmatch(text, -1)
		if len(names) < 100 {
			t.Errorf("%d names", len(names))
		}
		for _, name := range names {
			if !strings.HasPrefix(name[1], "ACCELSIM_") {
				t.Errorf("%s has no prefix", name[1])
			}
		}
	}
}

func TestRTLLintsClean(t *testing.T) {
	need(t, "verilator", "iverilog")
	dir := folder(t)
	for _, name := range RTL() {
		module := strings.TrimSuffix(name, ".v")
		source := filepath.Join("rtl", name)
		clean(t, limited(t), dir, "verilator", "--lint-only", "-Wall", "-y", "rtl", "--top-module", module, source)
		clean(t, limited(t), dir, "iverilog", "-g2005", "-Wall", "-y", "rtl", "-s", module, "-o", filepath.Join(t.TempDir(), "checked"), source)
	}
}

// Header and package are two texts; a simulation reads every register from
// both.
func TestPackageHoldsWhatTheHeaderHolds(t *testing.T) {
	need(t, "iverilog")
	for _, d := range []*Design{design(t, builtin(t, "lenet1"), 4, 2, "q4.12"), design(t, workload(t, small), 2, 2, "q4.12")} {
		t.Run(d.Workload.Name, func(t *testing.T) { compareHeaderAndPackage(t, d) })
	}
}

func compareHeaderAndPackage(t *testing.T, d *Design) {
	count := 0
	for _, g := range d.groups {
		for _, p := range g.parameters {
			count += p.words()
		}
	}
	bench := fmt.Sprintf(`module compare;
  reg [15:0] address; wire [63:0] a, b;
  accelsim_rom header (.config_address(address), .config_value(a));
  accelsim_pkg_top package_of (.config_address(address), .config_value(b));
  integer i, equal = 0;
  initial begin
    for (i = 0; i < %d; i = i + 1) begin address = i; #1 if (a === b) equal = equal + 1; end
    if (equal == %d) $display("PASS"); else $display("FAIL %%0d", equal);
  end
endmodule
module accelsim_rom (input wire [15:0] config_address, output reg [63:0] config_value);
`+"  `include \"accelsim_params.vh\"\n"+`  always @* case (config_address)
%s default: config_value = 0; endcase
endmodule
`, count, count, d.rom(""))
	dir := t.TempDir()
	if err := write(dir, append(d.Files(), file{"compare.sv", bench})); err != nil {
		t.Fatal(err)
	}
	if _, err := tool(limited(t), dir, "iverilog", "-g2012", "-o", "compare", "-s", "compare", "accelsim_pkg.sv", "accelsim_pkg_top.sv", "compare.sv"); err != nil {
		t.Fatal(err)
	}
	out, err := tool(limited(t), dir, "vvp", "-n", "compare")
	if err != nil || !strings.Contains(out, "PASS") {
		t.Fatal(out, err)
	}
}

func TestTheSameDesignIsTheSameBytes(t *testing.T) {
	a, b := design(t, builtin(t, "resnet18"), 2, 3, "q6.12").Files(), design(t, builtin(t, "resnet18"), 2, 3, "q6.12").Files()
	for i := range a {
		if a[i] != b[i] {
			t.Errorf("%s differs", a[i].name)
		}
	}
}
