package hdl

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/accelsim-dev/accelsim/internal/input"
)

// NotEmpty says that an output folder has something in it.
type NotEmpty struct{ Folder string }

// Error says what to do.
func (e *NotEmpty) Error() string {
	return fmt.Sprintf("%s exists and is not empty; name another folder, or give --force to write into it", e.Folder)
}

// CheckFolder tells whether a design may be written into a folder: one that is
// new or empty, or any with force.
func CheckFolder(folder string, force bool) error {
	entries, err := os.ReadDir(folder)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if len(entries) > 0 && !force {
		return &NotEmpty{folder}
	}
	return nil
}

// Write puts the design into a folder: all of its files, or none.
func (d *Design) Write(folder string, force bool) error {
	if err := CheckFolder(folder, force); err != nil {
		return err
	}
	older := emitted(folder)
	files := d.Files()
	if err := write(folder, files); err != nil {
		return err
	}
	for _, name := range older {
		if !slices.ContainsFunc(files, func(f file) bool { return f.name == name }) {
			if err := os.Remove(filepath.Join(folder, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}

// description is the name of the file that says what a design consists of.
const description = "accelsim.json"

// emitted lists the files that an older design left in a folder, as its description
// names them: none that lie elsewhere.
func emitted(folder string) []string {
	var old jsonDesign
	text, err := input.Text(filepath.Join(folder, description))
	if err != nil || json.Unmarshal(text, &old) != nil || old.Schema != Schema {
		return nil
	}
	return slices.DeleteFunc(old.Files, func(name string) bool { return !filepath.IsLocal(name) })
}

// Files returns everything that a design consists of, in a fixed order.
func (d *Design) Files() []file {
	files := []file{
		{"accelsim_params.vh", d.header()},
		{"accelsim_pkg.sv", d.pkg()},
		{description, ""}, // filled in when all are known
		{"accelsim.core", d.core()},
		{"accelsim_top.v", d.top()},
		{"accelsim_pkg_top.sv", d.pkgTop()},
	}
	files = append(files, embedded("rtl")...)
	files = append(files, embedded("tb")...)
	files = append(files, testUnits(d.Datapath, Units(d.Datapath, d.Vectors, d.Seed))...)
	if d.Block != nil {
		files = append(files, d.Block.files()...)
	}
	var names []string
	for _, f := range files {
		names = append(names, f.name)
	}
	for i := range files {
		if files[i].name == description {
			files[i].text = d.json(names)
		}
	}
	return files
}

// Testbenches lists the testbench modules.
func (d *Design) Testbenches() []string {
	if d.Block != nil {
		return []string{"accelsim_tb_units", "accelsim_tb_block"}
	}
	return []string{"accelsim_tb_units"}
}

var portLine = regexp.MustCompile(`(?m)^\s*((?:input|output)\s+(?:wire|reg)\s+(?:signed\s+)?(?:\[[^\]]*\])?)\s*(\w+),?\s*(?://.*)?$`)

// top writes a module that includes the header: the array, or the local block,
// set to the header's constants, and registers from which a host reads them.
func (d *Design) top() string {
	module, names := "accelsim_array", map[string]string{}
	if d.Block != nil {
		module = "accelsim_block"
		for _, p := range d.Block.parameters() {
			names[p.name] = p.inHeader()
		}
	}
	constantOf := func(parameter string) string {
		if name, ok := names[parameter]; ok {
			return namePrefix + name
		}
		return namePrefix + parameter
	}
	text, _ := sources.ReadFile("rtl/" + module + ".v") // embedded: cannot fail
	source := string(text)
	head, body, _ := strings.Cut(source, "\n) (\n")
	portList, _, _ := strings.Cut(body, "\n);")

	constant := map[string]bool{}
	for _, c := range constants(d.Datapath) {
		constant[c.port] = true
	}
	var ports, declarations, connections, overrides, parameters []string
	for _, m := range regexp.MustCompile(`parameter\s+(?:\[[^=]*\]\s+)?(\w+)\s*=`).FindAllStringSubmatch(head, -1) {
		parameters = append(parameters, m[1])
		overrides = append(overrides, fmt.Sprintf(".%s(%s)", m[1], constantOf(m[1])))
	}
	for _, m := range portLine.FindAllStringSubmatch(portList, -1) {
		declaration, name := m[1], m[2]
		if constant[name] {
			connections = append(connections, fmt.Sprintf(".%s(%s)", name, namePrefix+strings.ToUpper(name)))
			continue
		}
		for _, p := range parameters {
			declaration = regexp.MustCompile(`\b`+p+`\b`).ReplaceAllString(declaration, constantOf(p))
		}
		declaration = strings.Replace(strings.Join(strings.Fields(declaration), " "), "output reg", "output wire", 1)
		ports = append(ports, name)
		declarations = append(declarations, fmt.Sprintf("  %s %s;", declaration, name))
		connections = append(connections, fmt.Sprintf(".%s(%s)", name, name))
	}
	return fmt.Sprintf("%s`default_nettype none\nmodule accelsim_top (\n    %s,\n    config_address,\n    config_value\n);\n"+
		"  `include \"accelsim_params.vh\"\n%s\n  input wire [15:0] config_address;\n  output reg [63:0] config_value;\n\n"+
		"  %s #(\n      %s\n  ) %s (\n      %s\n  );\n\n  // Every constant of the header, in its order.\n  always @*\n    case (config_address)\n%s      default: config_value = 64'd0;\n    endcase\nendmodule\n`default_nettype wire\n",
		d.banner(), strings.Join(ports, ",\n    "), strings.Join(declarations, "\n"),
		module, wrap(overrides), strings.TrimPrefix(module, "accelsim_"), wrap(connections), d.rom("      "))
}

// pkgTop writes the same registers from the SystemVerilog package.
func (d *Design) pkgTop() string {
	return fmt.Sprintf("%smodule accelsim_pkg_top\n  import accelsim_pkg::*;\n(\n    input wire [15:0] config_address,\n    output reg [63:0] config_value\n);\n"+
		"  always @*\n    case (config_address)\n%s      default: config_value = 64'd0;\n    endcase\nendmodule\n", d.banner(), d.rom("      "))
}

// wrap joins a list over lines.
func wrap(list []string) string {
	const width = 110
	var b strings.Builder
	column := 0
	for i, s := range list {
		if i < len(list)-1 {
			s += ","
		}
		if column > 0 && column+len(s) > width {
			b.WriteString("\n      ")
			column = 0
		} else if column > 0 {
			s = " " + s
		}
		b.WriteString(s)
		column += len(s)
	}
	return b.String()
}

// core writes a FuseSoC core description.
func (d *Design) core() string {
	var rtl, vectors, benches strings.Builder
	for _, name := range RTL() {
		fmt.Fprintf(&rtl, "      - rtl/%s\n", name)
	}
	for _, f := range embedded("tb") {
		fmt.Fprintf(&benches, "      - %s\n", f.name)
	}
	for _, f := range testUnits(d.Datapath, Units(d.Datapath, 1, d.Seed)) {
		if strings.HasPrefix(f.name, "vectors/") {
			fmt.Fprintf(&vectors, "      - %s: {file_type: user, copyto: %s}\n", f.name, f.name)
		}
	}
	simulations := ""
	for _, module := range d.Testbenches() {
		fmt.Fprintf(&benches, "      - tb/%s.v\n", module)
		name := strings.TrimPrefix(module, "accelsim_tb_")
		simulations += fmt.Sprintf("  sim_%s:\n    default_tool: icarus\n    filesets: [rtl, tb]\n    toplevel: %s\n", name, module)
	}
	if d.Block != nil {
		vectors.WriteString("      - vectors/block.hex: {file_type: user, copyto: vectors/block.hex}\n")
	}
	comment := strings.ReplaceAll(d.banner(), "//", "#")
	return fmt.Sprintf(`CAPI=2:
%sname: accelsim:training:%s:1.0.0
description: local backpropagation through time in fixed point, %v
filesets:
  rtl:
    file_type: verilogSource-2005
    files:
      - accelsim_params.vh: {is_include_file: true}
%s      - accelsim_top.v
  pkg:
    file_type: systemVerilogSource
    files:
      - accelsim_pkg.sv
      - accelsim_pkg_top.sv
  tb:
    file_type: verilogSource-2005
    files:
%s%stargets:
  default:
    filesets: [rtl]
    toplevel: accelsim_top
  lint:
    default_tool: verilator
    filesets: [rtl]
    toplevel: accelsim_top
    tools: {verilator: {mode: lint-only, verilator_options: [-Wall]}}
%s`, comment, coreName.ReplaceAllString(d.Workload.Name, "_"), d.Formats, rtl.String(), benches.String(), vectors.String(), simulations)
}

var coreName = regexp.MustCompile(`[^A-Za-z0-9_-]`)

// jsonDesign is accelsim.json.
type jsonDesign struct {
	Schema   string      `json:"schema"`
	Workload string      `json:"workload"`
	Hardware string      `json:"hardware"`
	K        int         `json:"k"`
	N        int         `json:"n"`
	Datapath string      `json:"datapath"`
	Command  string      `json:"command"`
	Files    []string    `json:"files"` // of the design, with this one
	Groups   []jsonGroup `json:"groups"`
	Tests    struct {
		Vectors     int   `json:"vectors"`
		BlockCycles int64 `json:"block_cycles,omitempty"`
	} `json:"tests"`
}

type jsonGroup struct {
	Heading    string          `json:"heading"`
	Parameters []jsonParameter `json:"parameters"`
}

type jsonParameter struct {
	Name  string `json:"name"`
	Value *int64 `json:"value,omitempty"`
	Bits  string `json:"bits,omitempty"` // of a table
	Width int    `json:"width"`
	// Address is that of the register from which a host reads it; a table has one
	// for each 64 bits, the lowest first.
	Address int    `json:"address"`
	Comment string `json:"comment,omitempty"`
}

func (d *Design) json(files []string) string {
	out := jsonDesign{
		Schema: Schema, Workload: d.Workload.Name, Hardware: d.Hardware.Name, K: d.K, N: d.N,
		Datapath: d.Formats.String(), Command: d.Command, Files: files,
	}
	address := 0
	for _, g := range d.groups {
		list := jsonGroup{Heading: g.heading}
		for _, p := range g.parameters {
			width := p.bits
			switch p.kind {
			case number:
				width = 32
			case long:
				width = 64
			}
			j := jsonParameter{Name: p.name, Width: width, Address: address, Comment: p.comment}
			address += p.words()
			if p.kind == table {
				j.Bits = p.literal
			} else {
				j.Value = &p.value
			}
			list.Parameters = append(list.Parameters, j)
		}
		out.Groups = append(out.Groups, list)
	}
	out.Tests.Vectors = d.Vectors
	if d.Block != nil {
		out.Tests.BlockCycles = int64(d.Block.Cycles)
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(out) // to memory, of plain data: cannot fail
	return b.String()
}
