package hdl

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"accelsim/hardware"
	"accelsim/network"
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
			d := design(t, builtin(t, c.net), c.k, c.n, "q6.12")
			dir := t.TempDir()
			if err := d.Write(dir, false); err != nil {
				t.Fatal(err)
			}
			ctx := limited(t)
			clean(t, ctx, dir, "verilator", "--lint-only", "-Wall", "-I.", "-y", "rtl", "--top-module", "accelsim_top", "accelsim_top.v")
			clean(t, ctx, dir, "verilator", "--lint-only", "-Wall", "--top-module", "accelsim_pkg_top", "accelsim_pkg.sv", "accelsim_pkg_top.sv")
			clean(t, ctx, dir, "iverilog", "-g2005", "-Wall", "-I.", "-y", "rtl", "-s", "accelsim_top", "-o", os.DevNull, "accelsim_top.v")
			clean(t, ctx, dir, "iverilog", "-g2012", "-Wall", "-I.", "-y", "rtl", "-s", "accelsim_top", "-o", os.DevNull, "accelsim_top.v")
			clean(t, ctx, dir, "iverilog", "-g2012", "-Wall", "-s", "accelsim_pkg_top", "-o", os.DevNull, "accelsim_pkg.sv", "accelsim_pkg_top.sv")
		})
	}
}

func TestRTLLintsClean(t *testing.T) {
	need(t, "verilator", "iverilog")
	dir := folder(t)
	for _, name := range RTL() {
		module := strings.TrimSuffix(name, ".v")
		source := filepath.Join("rtl", name)
		clean(t, limited(t), dir, "verilator", "--lint-only", "-Wall", "-y", "rtl", "--top-module", module, source)
		clean(t, limited(t), dir, "iverilog", "-g2005", "-Wall", "-y", "rtl", "-s", module, "-o", os.DevNull, source)
	}
}

// Header and package are two texts; a simulation reads every register from
// both.
func TestPackageHoldsWhatTheHeaderHolds(t *testing.T) {
	need(t, "iverilog")
	d := design(t, builtin(t, "lenet1"), 4, 2, "q4.12")
	count := 0
	for _, g := range d.groups {
		count += len(g.parameters)
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
