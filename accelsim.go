// Package accelsim knows which program this is: a hash of the sources that
// results depend on, so that results of different programs are never taken for
// each other, and results of the same program are, wherever it was built.
package accelsim

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"runtime"
	"runtime/debug"
	"strings"
)

// What a design point's result depends on: everything that sweep imports. A
// test holds this list to the import graph.
//
//go:embed go.mod
//go:embed units/*.go network/*.go network/nets/*.yaml network/datasets/*.yaml
//go:embed analytic/*.go dataset/*.go tensors/*.go golden/*.go golden/*.s
//go:embed dram/*.go dram/devices/*.ini pe/*.go pe/fixed/*.go onchip/*.go energy/*.go energy/*.yaml
//go:embed tiling/*.go hardware/*.go hardware/presets/*.yaml schedule/*.go sim/*.go
//go:embed crosscheck/*.go design/*.go report/*.* sweep/*.go
var sources embed.FS

// Identity returns 12 hexadecimal digits: the same for the same sources,
// compiler and instruction set (on which the last bits of floating-point
// results may depend), whatever the commit or the folder it was built in.
func Identity() string {
	h := sha256.New()
	fmt.Fprintln(h, runtime.Version(), runtime.GOARCH)
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "GO"+strings.ToUpper(runtime.GOARCH) { // GOAMD64=v3 fuses multiplications and additions
				fmt.Fprintln(h, s.Key, s.Value)
			}
		}
	}
	_ = fs.WalkDir(sources, ".", func(name string, d fs.DirEntry, err error) error { // embedded: cannot fail
		if err != nil || d.IsDir() || strings.HasSuffix(name, "_test.go") {
			return err
		}
		text, err := sources.ReadFile(name)
		fmt.Fprintf(h, "%s %d\n%s", name, len(text), text)
		return err
	})
	return hex.EncodeToString(h.Sum(nil)[:6])
}

// Revision returns the commit that the program was built from, as far as the
// toolchain recorded it, with "+dirty" if files had been changed.
func Revision() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	revision, dirty := "", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			revision = s.Value[:min(12, len(s.Value))]
		case s.Key == "vcs.modified" && s.Value == "true":
			dirty = "+dirty"
		}
	}
	switch {
	case revision != "":
		return revision + dirty
	case info.Main.Version != "" && info.Main.Version != "(devel)":
		return info.Main.Version
	}
	return "unknown"
}
