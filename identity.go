package accelsim

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"go/scanner"
	"go/token"
	"io/fs"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
)

// The code that a design point's result depends on: everything that sweep
// imports. A test holds this list to the import graph. Data that the code reads,
// such as presets, is not here: a point's key has what was read of it.
//
//go:embed go.mod
//go:embed internal/config/*.go internal/input/*.go internal/output/*.go internal/spelling/*.go
//go:embed units/*.go network/*.go analytic/*.go internal/accuracy/*.go dataset/*.go tensors/*.go golden/*.go golden/*.s golden/plain/*.go
//go:embed dram/*.go pe/*.go pe/fixed/*.go onchip/*.go energy/*.go tiling/*.go hardware/*.go
//go:embed internal/elementary/*.go op/*.go role/*.go schedule/*.go sim/*.go crosscheck/*.go internal/design/*.go report/*.go sweep/*.go
var sources embed.FS

// Identity returns 12 hexadecimal digits: the same for the same code, compiler
// and instruction set (on which the last bits of floating-point results may
// depend), whatever the commit or the folder it was built in, and whatever its
// comments and its layout.
var Identity = sync.OnceValue(func() string {
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
		if strings.HasSuffix(name, ".go") {
			text = code(text)
		}
		fmt.Fprintf(h, "%s %d\n%s", name, len(text), text)
		return err
	})
	return hex.EncodeToString(h.Sum(nil)[:6])
})

// code returns the tokens of a Go file, one after the other. Of its comments it
// has only those to the compiler: //go:build says for which machines a file is.
func code(text []byte) (tokens []byte) {
	var s scanner.Scanner
	files := token.NewFileSet()
	s.Init(files.AddFile("", files.Base(), len(text)), text, nil, scanner.ScanComments)
	for {
		_, t, literal := s.Scan()
		switch {
		case t == token.EOF:
			return tokens
		case t == token.COMMENT && !strings.HasPrefix(literal, "//go:"):
			continue
		case t == token.SEMICOLON:
			literal = "" // written, or the end of a line
		}
		tokens = append(append(tokens, byte(t)), literal...)
		tokens = append(tokens, 0) // which no literal has
	}
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
