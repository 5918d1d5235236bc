//go:build unix

package output

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// say writes a text.
func say(text string) func(io.Writer) error {
	return func(w io.Writer) error { _, err := io.WriteString(w, text); return err }
}

// fail writes something, and then fails.
func fail(w io.Writer) error {
	_, err := io.WriteString(w, strings.Repeat("half of it", 1<<16))
	return errors.Join(err, errors.New("no more"))
}

// holds checks a file's text.
func holds(t *testing.T, path, want string) {
	t.Helper()
	if got, err := os.ReadFile(path); err != nil || string(got) != want {
		t.Errorf("%s holds %.40q (%v), want %q", filepath.Base(path), got, err, want)
	}
}

// only checks what is in a folder.
func only(t *testing.T, folder string, want ...string) {
	t.Helper()
	var got []string
	_ = filepath.WalkDir(folder, func(path string, e fs.DirEntry, err error) error {
		if err == nil && path != folder {
			name, _ := filepath.Rel(folder, path)
			got = append(got, name)
		}
		return err
	})
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("the folder has %q, want %q", got, want)
	}
}

func put(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := errors.Join(os.WriteFile(path, []byte(text), mode), os.Chmod(path, mode)); err != nil {
		t.Fatal(err)
	}
}

func modeOf(t *testing.T, path string) os.FileMode {
	t.Helper()
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode()
}

func TestANewFileHasTheModeThatUmaskLeaves(t *testing.T) {
	for umask, want := range map[int]os.FileMode{0o022: 0o644, 0o077: 0o600, 0o002: 0o664, 0o027: 0o640} {
		path := filepath.Join(t.TempDir(), "new")
		old := syscall.Umask(umask)
		err := WriteFile(path, say("text"))
		syscall.Umask(old)
		if err != nil || modeOf(t, path) != want {
			t.Errorf("umask %03o: mode %v (%v), want %v", umask, modeOf(t, path), err, want)
		}
		holds(t, path, "text")
	}
}

func TestAFileKeepsItsMode(t *testing.T) {
	for _, mode := range []os.FileMode{0o600, 0o640, 0o666, 0o755} {
		path := filepath.Join(t.TempDir(), "file")
		put(t, path, "old", mode)
		if err := WriteFile(path, say("new")); err != nil || modeOf(t, path) != mode {
			t.Errorf("mode %v (%v), was %v", modeOf(t, path), err, mode)
		}
		holds(t, path, "new")
	}
}

func TestAnErrorLeavesWhatWasThere(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "file")
	put(t, path, "old", 0o644)
	if err := WriteFile(path, fail); err == nil || !strings.Contains(err.Error(), "writing "+path+": no more") {
		t.Errorf("the error is %v", err)
	}
	holds(t, path, "old")
	only(t, folder, "file")
}

// While a file is being written the old one is there, whole.
func TestAFileIsReplacedAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	put(t, path, "old", 0o644)
	err := WriteFile(path, func(w io.Writer) error {
		err := say(strings.Repeat("new", 1<<16))(w)
		holds(t, path, "old")
		return err
	})
	if err != nil {
		t.Error(err)
	}
	holds(t, path, strings.Repeat("new", 1<<16))
}

func TestALinkIsFollowedAndStays(t *testing.T) {
	for name, c := range map[string]struct {
		link, target string // as it is read, and where it leads
		there        bool
	}{
		"beside it":           {"target", "target", true},
		"in another folder":   {"other/target", "other/target", true},
		"through a link":      {"way/../beyond", "deep/beyond", true}, // way leads to deep/down
		"to nothing yet":      {"other/new", "other/new", false},
		"by way of a link":    {"chain", "target", true},
		"to nothing, chained": {"chain-new", "other/new", false},
	} {
		folder := t.TempDir()
		at := func(name string) string { return filepath.Join(folder, filepath.FromSlash(name)) }
		err := errors.Join(os.MkdirAll(at("deep/down"), 0o755), os.Mkdir(at("other"), 0o755), os.Symlink("deep/down", at("way")),
			os.Symlink("target", at("chain")), os.Symlink("other/new", at("chain-new")), os.Symlink(c.link, at("link")))
		if err != nil {
			t.Fatal(err)
		}
		if c.there {
			put(t, at(c.target), "old", 0o600)
		}
		if err := errors.Join(Check([]Place{{Flag: "--f", Path: at("link")}}, nil), WriteFile(at("link"), say("new"))); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if link, err := os.Readlink(at("link")); err != nil || link != c.link {
			t.Errorf("%s: the link became %q (%v)", name, link, err)
		}
		holds(t, at(c.target), "new")
		if want := os.FileMode(0o600); c.there && modeOf(t, at(c.target)) != want {
			t.Errorf("%s: mode %v, want %v", name, modeOf(t, at(c.target)), want)
		}
	}
}

func TestLinksInACircleAreRefused(t *testing.T) {
	folder := t.TempDir()
	a, b := filepath.Join(folder, "a"), filepath.Join(folder, "b")
	if err := errors.Join(os.Symlink("b", a), os.Symlink("a", b)); err != nil {
		t.Fatal(err)
	}
	if err := Check([]Place{{Flag: "--f", Path: a}}, nil); !errors.Is(err, syscall.ELOOP) {
		t.Errorf("the error is %v", err)
	}
}

func TestAFIFOIsWrittenTo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fifo")
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Skip(err)
	}
	read := make(chan string)
	go func() {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Error(err)
		}
		read <- string(text)
	}()
	if err := WriteFile(path, say("text")); err != nil {
		t.Error(err)
	}
	select {
	case text := <-read:
		if text != "text" {
			t.Errorf("%q came through", text)
		}
	case <-time.After(10 * time.Second):
		t.Error("nothing came through")
	}
	if modeOf(t, path).Type() != fs.ModeNamedPipe {
		t.Errorf("it became %v", modeOf(t, path))
	}
}

func TestADeviceIsWrittenTo(t *testing.T) {
	for _, c := range []struct {
		name  string
		minor uint32 // of major 1, Linux' memory devices
		want  error
	}{{"null", 3, nil}, {"full", 7, syscall.ENOSPC}} {
		folder := t.TempDir()
		path := filepath.Join(folder, c.name)
		if err := unix.Mknod(path, unix.S_IFCHR|0o666, int(unix.Mkdev(1, c.minor))); err != nil {
			t.Skip("no device can be made: ", err)
		}
		if f, err := os.OpenFile(path, os.O_WRONLY, 0); err != nil {
			t.Skip("no device can be opened here: ", err)
		} else {
			f.Close()
		}
		if err := WriteFile(path, say("text")); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
		if modeOf(t, path).Type() != fs.ModeDevice|fs.ModeCharDevice {
			t.Errorf("%s became %v", c.name, modeOf(t, path))
		}
		only(t, folder, c.name)
	}
}

// A file that the program prints to is added to, not replaced: /dev/stdout of
// `accelsim run --perfetto /dev/stdout > file`.
func TestStandardOutputIsAddedTo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "printed")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	old := os.Stdout
	os.Stdout = f
	defer func() { os.Stdout = old }()
	fmt.Print("before ")
	if err := WriteFile(path, say("trace")); err != nil {
		t.Error(err)
	}
	fmt.Print(" after")
	holds(t, path, "before trace after")
}

func TestAFolderIsWrittenWholeOrNotAtAll(t *testing.T) {
	above := t.TempDir()
	folder := filepath.Join(above, "new", "folder")
	files := []File{Text("a", []byte("1")), Text("sub/b", []byte("2")), {"sub/c", fail}}
	if err := WriteFolder(folder, files); err == nil {
		t.Error("no error")
	}
	only(t, above)
	if err := WriteFolder(folder, files[:2]); err != nil {
		t.Error(err)
	}
	only(t, folder, "a", "sub", "sub/b")
	if err := os.WriteFile(filepath.Join(folder, "mine"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	files[0] = Text("a", []byte("3"))
	if err := WriteFolder(folder, files); err == nil {
		t.Error("no error")
	}
	holds(t, filepath.Join(folder, "a"), "1")
	holds(t, filepath.Join(folder, "sub/b"), "2")
	only(t, folder, "a", "mine", "sub", "sub/b")
}

// A set that stops between its files is marked until it is written again.
func TestAnIncompleteSetIsMarked(t *testing.T) {
	folder := t.TempDir()
	files := []File{Text("a", []byte("1")), Text("b", []byte("2"))}
	inTheWay := filepath.Join(folder, "b")
	files[1].Write = func(w io.Writer) error {
		return errors.Join(say("2")(w), os.MkdirAll(filepath.Join(inTheWay, "full"), 0o755)) // the second cannot take its place
	}
	if err := WriteFolder(folder, files); err == nil || Incomplete(folder) == nil {
		t.Errorf("error %v, incomplete %v", err, Incomplete(folder))
	}
	if err := os.RemoveAll(inTheWay); err != nil {
		t.Fatal(err)
	}
	files[1] = Text("b", []byte("2"))
	if err := errors.Join(WriteFolder(folder, files), Incomplete(folder)); err != nil {
		t.Error(err)
	}
	only(t, folder, "a", "b")
}

func TestAFolderBehindALinkIsWrittenTo(t *testing.T) {
	above := t.TempDir()
	link := filepath.Join(above, "link")
	if err := os.Symlink("real", link); err != nil { // not there yet
		t.Fatal(err)
	}
	place := []Place{{Flag: "--out", Path: link, Folder: true, Files: []string{"a"}}}
	for range 2 {
		if err := errors.Join(Check(place, nil), WriteFolder(link, []File{Text("a", nil)})); err != nil {
			t.Error(err)
		}
	}
	only(t, above, "link", "real", "real/a")
}

func TestTemporaryFilesOfAKilledProgramAreSwept(t *testing.T) {
	folder := t.TempDir()
	abandoned, mine := filepath.Join(folder, temporaryPrefix+"0123456789abcdef"), filepath.Join(folder, ".mine")
	put(t, abandoned, "half", 0o600)
	put(t, mine, "mine", 0o600)
	alive, err := unfinished.create(folder, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(filepath.Join(folder, "file"), say("text")); err != nil {
		t.Error(err)
	}
	only(t, folder, filepath.Base(alive.Name()), ".mine", "file")
	if err := errors.Join(alive.Close(), unfinished.discard(alive.Name())); err != nil {
		t.Error(err)
	}
}

func TestASignalRemovesWhatIsUnfinished(t *testing.T) {
	folder := t.TempDir()
	var r record
	if made, err := r.makeFolder(filepath.Join(folder, "out")); !made || err != nil {
		t.Fatal(made, err)
	}
	for range 3 {
		f, err := r.create(filepath.Join(folder, "out"), 0o600)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
	}
	r.end()
	only(t, folder)
	go func() {
		if _, err := r.create(folder, 0o600); err == nil {
			t.Error("a file is made after the end")
		}
	}()
	time.Sleep(10 * time.Millisecond)
	only(t, folder)
}

func TestANameOfAnyLengthHasATemporaryFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), strings.Repeat("n", 255))
	if err := WriteFile(path, say("text")); err != nil {
		t.Error(err)
	}
	holds(t, path, "text")
}

func TestStandardOutputKeepsItsFirstError(t *testing.T) {
	full := NewStream(writerFunc(func([]byte) (int, error) {
		return 0, &os.PathError{Op: "write", Path: "/dev/stdout", Err: syscall.ENOSPC}
	}))
	fmt.Fprint(full, "a")
	fmt.Fprint(full, "b")
	if err := full.Err(); err == nil || err.Error() != "writing to standard output: no space left on device" || full.Left() {
		t.Errorf("the error is %v", err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	r.Close()
	left := NewStream(w)
	fmt.Fprint(left, "a")
	if !left.Left() {
		t.Errorf("the reader has left; the error is %v", left.Err())
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
