//go:build unix

package output

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What cannot be written is refused before the work, in words that name the flag;
// what can be is left as it is.
func TestCheck(t *testing.T) {
	folder := t.TempDir()
	at := func(name string) string { return filepath.Join(folder, name) }
	put(t, at("file"), "old", 0o644)
	put(t, at("in"), "old", 0o644)
	for _, err := range []error{
		os.Mkdir(at("empty"), 0o755), os.MkdirAll(at("used/result.json"), 0o755), os.Symlink("file", at("link")),
		os.Link(at("file"), at("hard")), os.Symlink("gone/deep", at("dangling")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	socket, err := net.Listen("unix", at("s"))
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	file := func(flag, name string) Place { return Place{Flag: flag, Path: at(name)} }
	out := func(name string, files ...string) Place {
		return Place{Flag: "--out", Path: at(name), Folder: true, Files: files}
	}
	for _, c := range []struct {
		name    string
		outputs []Place
		want    string // "" is no error
	}{
		{"a new file", []Place{file("--dump", "new")}, ""},
		{"a file", []Place{file("--dump", "file")}, ""},
		{"a new folder", []Place{out("new/deep", "result.json")}, ""},
		{"an empty folder", []Place{out("empty", "result.json")}, ""},
		{"a folder behind a link", []Place{out("dangling", "result.json")}, ""},
		{"one file in two folders", []Place{file("--a", "new"), file("--b", "empty/new")}, ""},
		{"two devices", []Place{{Flag: "--a", Path: os.DevNull}, {Flag: "--b", Path: os.DevNull}}, ""},
		{"a folder for a file", []Place{file("--dump", "empty")}, "--dump: F/empty is a folder; name a file"},
		{"a folder that is not there", []Place{file("--dump", "no/such/file")}, "--dump: F/no/such/file: no such folder: F/no/such; name a file in a folder that exists"},
		{"below a file", []Place{file("--dump", "file/new")}, "--dump: F/file/new: F/file is not a folder"},
		{"far below a file", []Place{file("--dump", "file/a/b/c")}, "--dump: F/file/a/b/c: F/file is not a folder"},
		{"a file for a folder", []Place{out("file", "a")}, "--out: F/file is not a folder"},
		{"a folder below a file", []Place{out("file/a/b", "a")}, "--out: F/file is not a folder"},
		{"a device for a folder", []Place{{Flag: "--out", Path: os.DevNull, Folder: true}}, "--out: /dev/null is not a folder"},
		{"a folder in the way", []Place{out("used", "result.csv", "result.json")}, "--out: F/used/result.json is a folder; name a file"},
		{"a socket", []Place{file("--dump", "s")}, "--dump: F/s is a socket; name a file"},
		{"the same file", []Place{file("--a", "file"), file("--b", "file")}, "--a and --b both name F/file; give each its own file"},
		{"the same new file", []Place{file("--a", "new"), file("--b", "./empty/../new")}, "--a and --b both name F/new; give each its own file"},
		{"a link to it", []Place{file("--a", "link"), file("--b", "file")}, "--a and --b both name F/file; give each its own file"},
		{"another name of it", []Place{file("--a", "hard"), file("--b", "file")}, "--a and --b both name F/file; give each its own file"},
		{"a file of the folder", []Place{out("empty", "a", "b"), file("--dump", "empty/b")}, "--out and --dump both name F/empty/b; give each its own file"},
		{"a file of a new folder", []Place{out("empty", "x/b"), file("--dump", "empty/b")}, ""},
		{"what is read", []Place{file("--dump", "in")}, "--dump would write over F/in, which --tensors reads; name another file"},
	} {
		got := ""
		if err := Check(c.outputs, []Place{file("--tensors", "in"), file("--net", "none")}); err != nil {
			got = strings.ReplaceAll(err.Error(), folder, "F")
		}
		if got != c.want {
			t.Errorf("%s:\n\t got %s\n\twant %s", c.name, got, c.want)
		}
	}
	holds(t, at("file"), "old")
	only(t, folder, "dangling", "empty", "file", "hard", "in", "link", "s", "used", "used/result.json")
}

func TestAFolderWithoutPermissionIsRefused(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may write anywhere")
	}
	folder := filepath.Join(t.TempDir(), "mine")
	if err := os.Mkdir(folder, 0o555); err != nil {
		t.Fatal(err)
	}
	for _, p := range []Place{
		{Flag: "--f", Path: filepath.Join(folder, "file")},
		{Flag: "--f", Path: folder, Folder: true, Files: []string{"a"}},
		{Flag: "--f", Path: filepath.Join(folder, "sub"), Folder: true},
	} {
		if err := Check([]Place{p}, nil); err == nil || err.Error() != "--f: no file can be made in the folder "+folder+": permission denied" {
			t.Errorf("%v: %v", p, err)
		}
	}
}

// A file system that takes no files refuses root, too.
func TestAFileSystemThatTakesNoFilesIsRefused(t *testing.T) {
	if _, err := os.Stat("/proc/self"); err != nil {
		t.Skip("there is no /proc")
	}
	if err := Check([]Place{{Flag: "--f", Path: "/proc/accelsim"}}, nil); err == nil ||
		!strings.HasPrefix(err.Error(), "--f: no file can be made in the folder /proc: ") {
		t.Errorf("the error is %v", err)
	}
}
