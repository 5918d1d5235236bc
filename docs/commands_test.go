// Package docs holds what the pages say against what the program does.
package docs

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// all also runs the long commands.
var all = flag.Bool("all", false, "run the long commands, too")

// long are commands that take more than a few seconds, or gigabytes, by how
// they begin; and those that go on with what these leave. `make docs` runs them.
var long = []struct{ page, command, why string }{
	{"exploring.md", "for i in 1 2", "the grid once more, in parts"},
	{"exploring.md", "accelsim sweep merge shards", "the parts of before"},
	{"hardware.md", "accelsim run --net alexnet --k 10 --n 1 --hw zcu102", "seconds"},
	{"hardware.md", "accelsim sweep --net alexnet --k 10 --n 1 --hw paper,zcu102", "a minute"},
	{"hardware.md", "accelsim figures --only capacity", "minutes"},
	{"hdl.md", "accelsim hdl --net block.yaml", "minutes; iverilog, verilator, yosys"},
	{"quickstart.md", "accelsim run --net alexnet --k 10 --n 1 --hw zcu102", "seconds"},
	{"quickstart.md", "accelsim figures", "ten seconds"},
	{"reproducing.md", "accelsim figures", "ten seconds"},
	{"rules-accuracy.md", "for seed in 1 2 3", "a minute; TestAccuraciesAreWhatTrainingGives runs every row with -all"},
	{"training.md", "accelsim train --net lenet1", "a minute"},
	{"verification.md", "accelsim verify --net alexnet", "a minute"},
}

// elsewhere are commands that are not run here, and why.
var elsewhere = []struct{ command, why string }{
	{"make ", "a target of make, run on its own"},
	{"sbatch ", "needs a cluster; TestSlurmArrayEqualsLocalSweep starts one and submits what --emit prints"},
}

// needs are commands that need another program, or go on with what it leaves: a line of
// bash that succeeds where it is there.
var needs = []struct{ page, command, test, why string }{
	{"quickstart.md", "python3 record.py", "python3 -c 'import numpy'", "no python3 with numpy"},
	{"quickstart.md", "accelsim import activity spikes.npz", "test -f spikes.npz", "no python3 with numpy made spikes.npz"},
	{"quickstart.md", "accelsim run --net my.yaml --k 5 --n 1 --activity activity.yaml", "test -f activity.yaml", "no activity.yaml of before"},
	{"training.md", "accelsim train --net lenet1 --dataset mnist", "accelsim " + mnist, "no MNIST in the module cache, and no network"},
	{"rules-accuracy.md", "for seed in 1 2 3", "accelsim " + mnist, "no MNIST in the module cache, and no network"},
	{"training.md", "accelsim train --net recurrent.yaml", "accelsim " + mnist, "no MNIST in the module cache, and no network"},
	{"verification.md", "accelsim verify --net lenet1 --dataset mnist", "accelsim " + mnist, "no MNIST in the module cache, and no network"},
	{"hdl.md", "accelsim hdl --net block.yaml", "command -v iverilog verilator yosys", "needs iverilog, verilator and yosys"},
}

// mnist trains a little; it fails where the dataset is not to be had.
const mnist = "train --net lenet1 --dataset mnist --timesteps 2 --samples 32 --held-out 8 --test-samples 32 --batch 16"

// needMNIST skips the test where the dataset is not to be had.
func (c clone) needMNIST(t *testing.T) {
	t.Helper()
	if out, err := c.run("accelsim " + mnist); err != nil {
		t.Skipf("no MNIST in the module cache, and no network: %s", out)
	}
}

// block is a block of code of a page: indented, or fenced with an info string.
type block struct {
	line   int
	info   string
	fenced bool
	text   []string
}

// blocks returns the blocks of code of a page.
func blocks(page string) (found []block) {
	var open *block
	blank := true
	for i, line := range strings.Split(page, "\n") {
		fence, isFence := strings.CutPrefix(line, "```")
		code, isIndented := strings.CutPrefix(line, "    ")
		switch {
		case open != nil && open.fenced && isFence:
			found, open = append(found, *open), nil
		case open != nil && open.fenced:
			open.text = append(open.text, line)
		case open != nil && isIndented:
			open.text = append(open.text, code)
		case open == nil && isFence:
			open = &block{line: i + 1, info: fence, fenced: true}
		case open == nil && isIndented && blank:
			open = &block{line: i + 1, text: []string{code}}
		case open != nil:
			found, open = append(found, *open), nil
		}
		blank = line == ""
	}
	return found
}

// command is a line of a page, and what the page says that it prints.
type command struct {
	line   int
	text   string
	prints []string // nil: the page does not say
}

// programs begin the lines of a block of commands.
var programs = regexp.MustCompile(`^(accelsim|go|for|make|sbatch|source|python3|sed) `)

// commands returns those of a block; none if it shows something else.
func (b block) commands() (list []command) {
	transcript := len(b.text) > 0 && strings.HasPrefix(b.text[0], "$ ")
	if !transcript && (len(b.text) == 0 || !programs.MatchString(b.text[0])) {
		return nil
	}
	continued := false
	for i, line := range b.text {
		text, prompt := strings.CutPrefix(line, "$ ")
		switch {
		case continued:
			last := &list[len(list)-1]
			last.text = strings.TrimSuffix(last.text, `\`) + strings.TrimSpace(line)
		case transcript && !prompt:
			last := &list[len(list)-1]
			last.prints = append(last.prints, line)
			continue
		case line == "" || strings.HasPrefix(line, "#"):
			continue
		default:
			list = append(list, command{line: b.line + i, text: text})
		}
		continued = strings.HasSuffix(line, `\`)
	}
	return list
}

// file is the name of the file that a block shows, from its info string.
func (b block) file() string {
	_, name, _ := strings.Cut(b.info, " ")
	return name
}

// pages are the documents, by name.
func pages(t *testing.T) map[string]string {
	t.Helper()
	names, err := filepath.Glob("*.md")
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{}
	for _, name := range append(names, "../README.md", "../ARCHITECTURE.md") {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		texts[filepath.Base(name)] = string(text)
	}
	return texts
}

// clone is what a reader of a page has: the program, and the files of a clone
// that pages speak of, in a fresh folder.
type clone struct{ folder, bin string }

// build builds the program into a folder.
func build(t *testing.T) (bin string) {
	t.Helper()
	bin = t.TempDir()
	cmd := exec.Command("go", "build", "-o", bin, "github.com/accelsim-dev/accelsim/cmd/accelsim")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, python := range []string{"python3", "/usr/bin/python3"} { // the one with numpy
		path, err := exec.LookPath(python)
		if err == nil && exec.Command(path, "-c", "import numpy").Run() == nil {
			if err := os.Symlink(path, filepath.Join(bin, "python3")); err != nil {
				t.Fatal(err)
			}
			break
		}
	}
	return bin
}

func newClone(t *testing.T, bin string) clone {
	t.Helper()
	c := clone{t.TempDir(), bin}
	for _, name := range []string{"go.mod", "go.sum", "cmd", "importing", "testdata"} {
		path, err := filepath.Abs(filepath.Join("..", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(path, filepath.Join(c.folder, name)); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// write makes the file that a block shows, if it shows one.
func (c clone) write(t *testing.T, b block) bool {
	t.Helper()
	file := b.file()
	if file == "" {
		return false
	}
	if err := os.WriteFile(filepath.Join(c.folder, file), []byte(strings.Join(b.text, "\n")+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	return true
}

// run runs a command and returns what a terminal would show.
func (c clone) run(text string) (string, error) {
	ctx, stop := context.WithTimeout(context.Background(), 30*time.Minute)
	defer stop()
	text = strings.ReplaceAll(text, "go run ./cmd/accelsim", "accelsim")
	cmd := exec.CommandContext(ctx, "bash", "-c", text)
	cmd.Dir = c.folder
	cmd.Env = append(os.Environ(), "PATH="+c.bin+":"+os.Getenv("PATH"), "GOBIN="+c.folder+"/bin")
	if strings.HasPrefix(text, "go ") {
		cmd.Dir = ".."
	}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// skip tells why a command is not run, "" if it is.
func (c command) skip(page string, reader clone) string {
	for _, e := range elsewhere {
		if strings.HasPrefix(c.text, e.command) {
			return e.why
		}
	}
	for _, l := range long {
		if l.page == page && strings.HasPrefix(c.text, l.command) && !*all {
			return l.why + "; make docs runs it"
		}
	}
	for _, n := range needs {
		if n.page == page && strings.HasPrefix(c.text, n.command) {
			if _, err := reader.run(n.test); err != nil {
				return n.why
			}
		}
	}
	return ""
}

// TestCommands runs every command of every page, in the order of the page, in a
// fresh folder with the files that the page shows. What it shows of their output
// is held to what they print; … stands for anything.
func TestCommands(t *testing.T) {
	bin := build(t)
	for name, text := range pages(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			reader := newClone(t, bin)
			for _, b := range blocks(text) {
				if reader.write(t, b) {
					continue
				}
				list := b.commands()
				if list == nil && b.info == "" {
					t.Errorf("%s:%d: a block that is no command; name its language after the fence, and its file", name, b.line)
				}
				for _, c := range list {
					t.Run(fmt.Sprintf("line %d", c.line), func(t *testing.T) {
						if why := c.skip(name, reader); why != "" {
							t.Skipf("%s:%d: %s (%s)", name, c.line, c.text, why)
						}
						began := time.Now()
						out, err := reader.run(c.text)
						t.Logf("%s: %.1f s", c.text, time.Since(began).Seconds())
						c.check(t, name, out, err)
					})
				}
			}
		})
	}
}

// check holds what a command printed to what the page shows.
func (c command) check(t *testing.T, page, out string, err error) {
	t.Helper()
	shown := strings.Join(c.prints, "\n")
	refused := strings.Contains(shown, "accelsim: ") && !strings.Contains(shown, "accelsim: warning")
	if (err != nil) != refused {
		t.Errorf("%s:%d: %s: %v\n%s", page, c.line, c.text, err, tail(out))
	}
	if c.prints != nil && !pattern(c.prints).MatchString(trimmed(out)) {
		t.Errorf("%s:%d: %s\nprints\n%sthe page shows\n%s", page, c.line, c.text, out, shown)
	}
}

// pattern returns what matches an output as it is shown: a line … is any lines, … in a
// line any text.
func pattern(shown []string) *regexp.Regexp {
	var text strings.Builder
	text.WriteString(`\A`)
	for _, line := range shown {
		line = strings.TrimRight(line, " ")
		if line == "…" {
			text.WriteString(`(?:.*\n)*?`)
			continue
		}
		text.WriteString(strings.ReplaceAll(regexp.QuoteMeta(line), "…", ".*") + `\n`)
	}
	return regexp.MustCompile(text.String() + `\z`)
}

// trimmed removes spaces at the ends of lines.
func trimmed(out string) string {
	lines := strings.Split(out, "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n")
}

func tail(out string) string { return out[max(0, len(out)-2000):] }

func TestPatternsOfOutput(t *testing.T) {
	for _, c := range []struct {
		shown, out string
		matches    bool
	}{
		{"a\nb", "a\nb\n", true},
		{"a\nb", "a\nc\n", false},
		{"a", "a\nb\n", false},
		{"…\nb", "a\na\nb\n", true},
		{"a\n…", "a\n", true},
		{"a\n…\nd", "a\nb\nc\n", false},
		{"took … s (x)", "took 0.37 s (x)\n", true},
		{"took … s (x)", "took 0.37 s\n", false},
	} {
		if got := pattern(strings.Split(c.shown, "\n")).MatchString(c.out); got != c.matches {
			t.Errorf("%q shown, %q printed: %v", c.shown, c.out, got)
		}
	}
}

// TestListsOfCommands: a command that is not run here is one of a page.
func TestListsOfCommands(t *testing.T) {
	var known []string
	for name, text := range pages(t) {
		for _, b := range blocks(text) {
			for _, c := range b.commands() {
				known = append(known, name+" "+c.text)
			}
		}
	}
	for _, l := range long {
		if !slices.ContainsFunc(known, func(c string) bool { return strings.HasPrefix(c, l.page+" "+l.command) }) {
			t.Errorf("%s has no command %q", l.page, l.command)
		}
	}
	for _, n := range needs {
		if !slices.ContainsFunc(known, func(c string) bool { return strings.HasPrefix(c, n.page+" "+n.command) }) {
			t.Errorf("%s has no command %q", n.page, n.command)
		}
	}
	for _, e := range elsewhere {
		if !slices.ContainsFunc(known, func(c string) bool { return strings.Contains(c, " "+e.command) }) {
			t.Errorf("no page has a command %q", e.command)
		}
	}
}

var (
	inline   = regexp.MustCompile("`([^`\n]+)`")
	flagName = regexp.MustCompile(`--[a-z][a-z-]*`)
)

// TestFlagsExist: commands and flags in the text of pages, too, are the program's.
func TestFlagsExist(t *testing.T) {
	reader := newClone(t, build(t))
	help := map[string]string{}
	of := func(name string) string {
		if _, known := help[name]; !known {
			out, err := reader.run("accelsim " + name + " --help")
			if err != nil {
				t.Fatalf("accelsim %s --help: %v\n%s", name, err, out)
			}
			help[name] = out
		}
		return help[name]
	}
	top := regexp.MustCompile(`(?m)^  ([a-z]+) `)
	var everywhere bytes.Buffer
	for _, m := range top.FindAllStringSubmatch(of(""), -1) {
		everywhere.WriteString(of(m[1]))
	}
	for _, name := range []string{"import scalesim", "import activity", "import nir", "import torch", "export nir"} {
		everywhere.WriteString(of(name))
	}
	foreign := []string{"--lint-only", "--array", "--privileged"} // verilator's, sbatch's
	for name, text := range pages(t) {
		for _, m := range inline.FindAllStringSubmatch(strings.ReplaceAll(text, "```", ""), -1) {
			known := everywhere.String()
			if args, ok := strings.CutPrefix(m[1], "accelsim "); ok {
				known = of(subcommand(args))
			}
			for _, f := range flagName.FindAllString(m[1], -1) {
				if !slices.Contains(foreign, f) && !regexp.MustCompile(regexp.QuoteMeta(f)+`[ ,\n]`).MatchString(known) {
					t.Errorf("%s: %s: there is no %s", name, m[0], f)
				}
			}
		}
	}
}

// subcommand returns the command of a line: one word, or two of import and sweep.
func subcommand(args string) string {
	words := strings.Fields(args)
	switch {
	case len(words) == 0 || !regexp.MustCompile(`^[a-z]+$`).MatchString(words[0]):
		return ""
	case len(words) > 1 && slices.Contains([]string{"scalesim", "activity", "nir", "torch", "merge"}, words[1]):
		return words[0] + " " + words[1]
	}
	return words[0]
}
