//go:build unix

package main

import (
	"bytes"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/sys/unix"
)

// writers has for every flag that names an output a command line that writes it.
// A flag that is missing here fails TestEveryOutputFlagIsKnown.
func writers() map[string][]string {
	words := func(text string) []string { return strings.Fields(text) }
	functional := words("--net " + vectorFile("fc-bptt.yaml") + " --tensors " + vectorFile("fc-bptt.in.npz"))
	quick := words("--net lenet1 --k 1 --n 2 --batch 2 --timesteps 2")
	training := append(words("train"), words("--net lenet1 --dataset mnist --data ../../dataset/testdata/mnist --batch 8 --timesteps 2 --k 2")...)
	verifying := append(words("verify"), functional...)
	results := map[string][]string{
		"run --out":             append(words("run --timing off"), quick...),
		"run --perfetto":        append(words("run"), quick...),
		"run --dram-trace":      append(words("run --dram-trace-requests 1000"), quick...),
		"run --dump":            append(words("run --timing off"), functional...),
		"run --dump-spikes":     append(words("run --timing off"), functional...),
		"train --out":           append(words("train"), functional...),
		"train --dump":          append(words("train"), functional...),
		"train --checkpoint":    training,
		"train --activity-out":  training,
		"train --weights-out":   training,
		"verify --out":          verifying,
		"verify --dump-golden":  verifying,
		"verify --dump-sim":     verifying,
		"compare --out":         words("compare testdata/run-lenet1.json testdata/run-lenet1.json"),
		"schedule --out":        append(words("schedule"), quick...),
		"list --out":            words("list nets"),
		"dram --out":            words("dram --device ddr4-2400 --pattern seqread --requests 1000"),
		"hdl --out":             words("hdl --net lenet1 --k 4 --n 2 --vectors 4"),
		"figures --out":         words("figures --only 6"),
		"sweep --out":           append(words("sweep --timing off"), quick...),
		"import scalesim --out": words("import scalesim ../../importing/testdata/alexnet.csv --classes 10"),
		"import nir --out":      words("import nir " + nirData + "cnn_sinabs.nir"),
		"import torch --out":    words("import torch " + torchData + "state.pt --net " + torchData + "net.yaml"),
		"export nir --out":      words("export nir --dt 1 --net " + vectorFiles + "general/g-hardv.yaml --weights " + vectorFiles + "general/g-hardv.in.npz"),
		"import activity --out": words("import activity " + importData + "spikes.npz --net " + importData + "spikes.yaml"),
	}
	return results
}

// eachFlag calls do with every flag of every command, by the command's name.
func eachFlag(do func(command string, f *pflag.Flag)) {
	var visit func(c *cobra.Command)
	visit = func(c *cobra.Command) {
		name := strings.TrimPrefix(strings.TrimPrefix(c.CommandPath(), "accelsim"), " ")
		c.LocalFlags().VisitAll(func(f *pflag.Flag) { do(name, f) })
		for _, sub := range c.Commands() {
			visit(sub)
		}
	}
	visit(newRootCommand())
}

// outputFlagsOf returns "command --flag" of all flags with an annotation.
func outputFlagsOf(annotation string) []string {
	var names []string
	eachFlag(func(command string, f *pflag.Flag) {
		if _, ok := f.Annotations[annotation]; ok && command != "sweep merge" { // as sweep --out, on what that left
			names = append(names, command+" --"+f.Name)
		}
	})
	return names
}

// A new flag that names a file or a folder says whether it is written: then it is
// checked before the work, and tested here.
func TestEveryOutputFlagIsKnown(t *testing.T) {
	read := []string{
		"accuracy", "activity", "claim", "config", "data", "dataset", "dump-golden", "energy", "grid", "hw", "image", "net", "only", "resume", "rule", "set", "tensors", "trace", "weights",
		"dram-trace-requests", "perfetto-steps", "force", "reset", "batch", "checkpoint-every",
	}
	about := regexp.MustCompile(`\b([Ff]iles?|[Ff]olders?|write)\b`)
	eachFlag(func(command string, f *pflag.Flag) {
		_, file := f.Annotations[writesFile]
		_, folder := f.Annotations[writesFolder]
		if about.MatchString(f.Usage) && !file && !folder && !slices.Contains(read, f.Name) {
			t.Errorf("%s --%s: is %q written or read? register it with fileFlag or folderFlag, or name it here", command, f.Name, f.Usage)
		}
	})
	known := slices.Sorted(maps.Keys(writers()))
	found := slices.Sorted(slices.Values(append(outputFlagsOf(writesFile), outputFlagsOf(writesFolder)...)))
	if !slices.Equal(known, found) {
		t.Errorf("there are %v\nhere are %v", found, known)
	}
}

// place is a place to write to, and what is to become of it.
type place struct {
	name   string
	make   func(t *testing.T, path string) // nil: nothing is there
	below  string                          // where in it to write; "" it itself
	refuse string                          // "" is no refusal
	check  func(t *testing.T, path string, content []byte)
}

func mustMake(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

// device makes a device like Linux' /dev/null (3) or /dev/full (7) of its own.
func device(minor uint32) func(t *testing.T, path string) {
	return func(t *testing.T, path string) {
		if err := unix.Mknod(path, unix.S_IFCHR|0o666, int(unix.Mkdev(1, minor))); err != nil {
			t.Skip("no device can be made here: ", err)
		}
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			t.Skip("no device can be opened here: ", err)
		}
		f.Close()
	}
}

func typeOf(t *testing.T, path string, want fs.FileMode) {
	t.Helper()
	if info, err := os.Lstat(path); err != nil || info.Mode().Type() != want {
		t.Errorf("%s became %v (%v), want %v", path, info.Mode(), err, want)
	}
}

// Whatever a file flag names: it is refused before the work, or written and left
// what it is.
func TestEveryFileFlag(t *testing.T) {
	regular := func(t *testing.T, path string) {
		mustMake(t, os.WriteFile(path, []byte("old"), 0o640), os.Chmod(path, 0o640))
	}
	places := []place{
		{name: "below a file", make: regular, below: "new", refuse: "is not a folder"},
		{name: "in no folder", below: "new", refuse: "name a file in a folder that exists"},
		{name: "a folder", make: func(t *testing.T, path string) { mustMake(t, os.Mkdir(path, 0o755)) }, refuse: "is a folder; name a file"},
		{name: "a file", make: regular, check: func(t *testing.T, path string, content []byte) {
			if info, err := os.Lstat(path); err != nil || info.Mode() != 0o640 {
				t.Errorf("mode %v (%v), was 0640", info.Mode(), err)
			}
		}},
		{name: "a link", make: func(t *testing.T, path string) {
			mustMake(t, os.WriteFile(path+".target", []byte("old"), 0o600), os.Symlink(filepath.Base(path)+".target", path))
		}, check: func(t *testing.T, path string, content []byte) { typeOf(t, path, fs.ModeSymlink) }},
		{name: "a link to nothing", make: func(t *testing.T, path string) {
			mustMake(t, os.Symlink(filepath.Base(path)+".target", path))
		}, check: func(t *testing.T, path string, content []byte) { typeOf(t, path, fs.ModeSymlink) }},
		{name: "a device", make: device(3), check: func(t *testing.T, path string, _ []byte) {
			typeOf(t, path, fs.ModeDevice|fs.ModeCharDevice)
		}},
	}
	for _, name := range outputFlagsOf(writesFile) {
		args, known := writers()[name]
		if !known {
			continue // TestEveryOutputFlagIsKnown says so
		}
		flag := name[strings.LastIndex(name, " ")+1:]
		var whole []byte
		var printed string
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "out.yaml")
			status, stdout, stderr := commandLine(t, append(args, flag, path)...)
			var err error
			if whole, err = os.ReadFile(path); status != exitDone || err != nil || len(whole) == 0 {
				t.Fatalf("exit %d, %d bytes (%v)\n%s", status, len(whole), err, stderr)
			}
			printed = stdout
		})
		for _, p := range places {
			t.Run(name+" "+p.name, func(t *testing.T) {
				path := filepath.Join(t.TempDir(), "out.yaml")
				if p.make != nil {
					p.make(t, path)
				}
				status, stdout, stderr := commandLine(t, append(args, flag, filepath.Join(path, p.below))...)
				if p.refuse != "" {
					if status != exitBadInput || stdout != "" || !strings.HasPrefix(stderr, "accelsim: "+flag+": ") ||
						!strings.Contains(stderr, p.refuse) || strings.Count(stderr, "\n") != 1 {
						t.Errorf("exit %d, prints %q, says %q, not %q", status, stdout, stderr, p.refuse)
					}
					return
				}
				if status != exitDone || steady(stdout) != steady(printed) {
					t.Errorf("exit %d\n%s", status, stderr)
				}
				if p.check != nil {
					p.check(t, path, whole)
				}
				if content, err := os.ReadFile(path); p.name != "a device" && (err != nil || !bytes.Equal(content, whole)) {
					t.Errorf("%d bytes (%v), want %d", len(content), err, len(whole))
				}
			})
		}
		t.Run(name+" a FIFO", func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "out.yaml")
			mustMake(t, unix.Mkfifo(path, 0o600))
			got := make(chan []byte)
			go func() {
				content, err := os.ReadFile(path)
				if err != nil {
					t.Error(err)
				}
				got <- content
			}()
			status, stdout, stderr := commandLine(t, append(args, flag, path)...)
			if status != exitDone || steady(stdout) != steady(printed) {
				t.Fatalf("exit %d\n%s", status, stderr)
			}
			if content := <-got; !bytes.Equal(content, whole) {
				t.Errorf("%d bytes came through, want %d", len(content), len(whole))
			}
			typeOf(t, path, fs.ModeNamedPipe)
		})
		t.Run(name+" a full disk", func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "out.yaml")
			device(7)(t, path)
			status, stdout, stderr := commandLine(t, append(args, flag, path)...)
			if status != exitFailed || steady(stdout) != steady(printed) {
				t.Errorf("exit %d, prints %d bytes, want %d and the result", status, len(stdout), len(printed))
			}
			if last := stderr[strings.LastIndex(strings.TrimSuffix(stderr, "\n"), "\n")+1:]; last != "accelsim: "+flag+": writing "+path+": no space left on device\n" &&
				last != "accelsim: "+flag+": writing "+path+": write "+path+": no space left on device\n" {
				t.Errorf("it says %q", stderr)
			}
			typeOf(t, path, fs.ModeDevice|fs.ModeCharDevice)
		})
	}
}

// seconds are what differs between two equal runs.
var seconds = regexp.MustCompile(`[0-9.]+ +\|?\n|(?m)^.*(simulated|wall|seconds|\d\.\d s$|requests a second).*$|(?m)\| +[0-9.]+ \|$`)

// steady leaves out what depends on the time that a command takes.
func steady(text string) string { return seconds.ReplaceAllString(text, "") }

// Whatever a folder flag names, too.
func TestEveryFolderFlag(t *testing.T) {
	file := func(t *testing.T, path string) { mustMake(t, os.WriteFile(path, nil, 0o600)) }
	for _, name := range outputFlagsOf(writesFolder) {
		args, known := writers()[name]
		if !known {
			continue
		}
		flag := name[strings.LastIndex(name, " ")+1:]
		for _, p := range []place{
			{name: "below a file", make: file, below: "new/folder", refuse: "is not a folder"},
			{name: "a file", make: file, refuse: "is not a folder"},
			{name: "a device", make: device(3), refuse: "is not a folder"},
			{name: "a link to a file", make: func(t *testing.T, path string) {
				mustMake(t, os.WriteFile(path+".target", nil, 0o600), os.Symlink(path+".target", path))
			}, refuse: "is not a folder"},
			{name: "nothing", below: "new/folder"},
			{name: "a link to a folder", make: func(t *testing.T, path string) {
				mustMake(t, os.Mkdir(path+".target", 0o755), os.Symlink(path+".target", path))
			}},
			{name: "a link to nothing", make: func(t *testing.T, path string) { mustMake(t, os.Symlink("new", path)) }},
		} {
			t.Run(name+" "+p.name, func(t *testing.T) {
				above := t.TempDir()
				path := filepath.Join(above, "out")
				if p.make != nil {
					p.make(t, path)
				}
				status, stdout, stderr := commandLine(t, append(args, flag, filepath.Join(path, p.below))...)
				if p.refuse != "" {
					if status != exitBadInput || stdout != "" || !strings.HasPrefix(stderr, "accelsim: "+flag+": ") ||
						!strings.Contains(stderr, p.refuse) || strings.Count(stderr, "\n") != 1 {
						t.Errorf("exit %d, prints %q, says %q, not %q", status, stdout, stderr, p.refuse)
					}
					return
				}
				if files, err := os.ReadDir(filepath.Join(path, p.below)); status != exitDone || err != nil || len(files) == 0 {
					t.Errorf("exit %d, %d files (%v)\n%s", status, len(files), err, stderr)
				}
				if p.name != "nothing" {
					typeOf(t, path, fs.ModeSymlink)
				}
				_ = filepath.WalkDir(above, func(path string, _ fs.DirEntry, _ error) error {
					if strings.HasPrefix(filepath.Base(path), ".") {
						t.Errorf("left behind: %s", path)
					}
					return nil
				})
			})
		}
	}
}

// A disk that is full while a folder is written leaves all of its files out, and
// the result is printed nevertheless.
func TestAFullDiskLeavesNoPartOfAFolder(t *testing.T) {
	for _, name := range []string{"run --out", "train --out", "verify --out", "compare --out", "schedule --out", "list --out"} {
		folder := t.TempDir()
		device(7)(t, filepath.Join(folder, "result.json"))
		status, stdout, stderr := commandLine(t, append(writers()[name], "--out", folder)...)
		if status != exitFailed || len(stdout) < 100 || !strings.Contains(stderr, "accelsim: --out: writing "+folder) ||
			!strings.Contains(stderr, "no space left on device") {
			t.Errorf("%s: exit %d, prints %d bytes, says %q", name, status, len(stdout), stderr)
		}
		if files, err := os.ReadDir(folder); err != nil || len(files) != 1 {
			t.Errorf("%s: %v (%v) are in the folder", name, files, err)
		}
	}
}

// Two flags that name one file are refused, and so is writing over what is read.
func TestOneFileForTwoPurposesIsRefused(t *testing.T) {
	folder := t.TempDir()
	at := func(name string) string { return filepath.Join(folder, name) }
	text, err := os.ReadFile(vectorFile("fc-bptt.in.npz"))
	mustMake(t, err, os.WriteFile(at("in.npz"), text, 0o600))
	for _, c := range []struct{ args, want string }{
		{"verify --net lenet1 --dump-golden F/a --dump-sim F/a", "--dump-golden and --dump-sim both name F/a; give each its own file"},
		{"verify --net lenet1 --dump-golden F/result.csv --out F", "--dump-golden and --out both name F/result.csv; give each its own file"},
		{"run --net lenet1 --perfetto F/report.html --out F", "--out and --perfetto both name F/report.html; give each its own file"},
		{"train --net lenet1 --checkpoint F/a --activity-out F/a", "--activity-out and --checkpoint both name F/a; give each its own file"},
		{"train --net lenet1 --tensors F/in.npz --dump F/in.npz", "--dump would write over F/in.npz, which --tensors reads; name another file"},
		{"import activity F/in.npz --net lenet1 --out F/in.npz", "--out would write over F/in.npz, which activity reads; name another file"},
	} {
		status, stdout, stderr := commandLine(t, strings.Fields(strings.ReplaceAll(c.args, " F", " "+folder))...)
		if got := strings.ReplaceAll(stderr, folder, "F"); status != exitBadInput || stdout != "" || got != "accelsim: "+c.want+"\n" {
			t.Errorf("%s: exit %d, %q\n\t got %s\n\twant %s", c.args, status, stdout, got, c.want)
		}
	}
}
