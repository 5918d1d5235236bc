// Package hdl writes an accelerator as hardware: Verilog parameter headers from
// the simulator's own numbers, the RTL of the fixed-point datapath, and
// testbenches whose vectors come from the model in pe/fixed.
package hdl

import (
	"embed"
	"io/fs"
	"sort"
	"strings"
)

//go:embed rtl/*.v tb/*.v
var sources embed.FS

// embedded returns the files of a folder of sources, in order.
func embedded(folder string) []file {
	names, _ := fs.Glob(sources, folder+"/*.v") // a constant pattern: cannot fail
	sort.Strings(names)
	var files []file
	for _, name := range names {
		text, _ := sources.ReadFile(name) // embedded: cannot fail
		files = append(files, file{name, string(text)})
	}
	return files
}

// RTL lists the synthesizable files, by name.
func RTL() []string {
	var names []string
	for _, f := range embedded("rtl") {
		names = append(names, strings.TrimPrefix(f.name, "rtl/"))
	}
	return names
}
