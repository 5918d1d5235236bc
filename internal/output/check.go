package output

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Place is where a flag says that something is to be written, or is read.
type Place struct {
	Flag   string // as it is written: "--dump"
	Path   string
	Folder bool
	Files  []string // of a folder: the files that are going to be in it
}

// Check tells whether everything can be written, before there is anything to
// write. It refuses two flags that name one file, and to write over what is read.
// Nothing is changed. Errors name the flag.
func Check(outputs, inputs []Place) error {
	var taken []claim
	for _, in := range inputs {
		if to, err := find(in.Path); err == nil {
			taken = append(taken, claim{in.Flag, to, true})
		}
	}
	for _, out := range outputs {
		paths := []string{out.Path}
		if out.Folder {
			if err := checkFolder(out.Path); err != nil {
				return fmt.Errorf("%s: %w", out.Flag, err)
			}
			paths = paths[:0]
			for _, name := range out.Files {
				paths = append(paths, filepath.Join(out.Path, filepath.FromSlash(name)))
			}
		}
		for _, path := range paths {
			to, err := checkFile(path, out.Folder)
			if err != nil {
				return fmt.Errorf("%s: %w", out.Flag, err)
			}
			mine := claim{out.Flag, to, false}
			for _, other := range taken {
				if err := mine.against(other); err != nil {
					return err
				}
			}
			taken = append(taken, mine)
		}
	}
	return nil
}

// claim is a file that a flag names.
type claim struct {
	flag string
	to   destination
	read bool
}

// against refuses two flags that name the same file. Devices take everything.
func (c claim) against(other claim) error {
	if !c.to.same(other.to) || c.to.info != nil && c.to.info.Mode()&fs.ModeDevice != 0 {
		return nil
	}
	if other.read {
		return fmt.Errorf("%s would write over %s, which %s reads; name another file", c.flag, c.to.path, other.flag)
	}
	return fmt.Errorf("%s and %s both name %s; give each its own file", other.flag, c.flag, c.to.path)
}

// same tells whether two paths lead to one file.
func (d destination) same(as destination) bool {
	if d.info != nil && as.info != nil {
		return os.SameFile(d.info, as.info)
	}
	return d.info == nil && as.info == nil && filepath.Base(d.path) == filepath.Base(as.path) && sameFolder(d.path, as.path)
}

// sameFolder tells whether two files that are not there yet would be in one folder.
func sameFolder(a, b string) bool {
	a, b = filepath.Dir(a), filepath.Dir(b)
	x, errX := os.Stat(a)
	y, errY := os.Stat(b)
	if errX == nil && errY == nil {
		return os.SameFile(x, y)
	}
	a, errX = filepath.Abs(a)
	b, errY = filepath.Abs(b)
	return errX == nil && errY == nil && a == b
}

// checkFile tells whether a file can be written, and what is there. In a folder of
// the program's own the folders above may have to be made.
func checkFile(path string, makes bool) (destination, error) {
	to, err := find(path)
	if errors.Is(err, syscall.ENOTDIR) {
		return to, fmt.Errorf("%s: %s is not a folder", path, notFolder(path))
	}
	if err != nil {
		return to, err
	}
	if to.info != nil && to.stream == nil {
		if err := mayWrite(to.path); err != nil {
			return to, fmt.Errorf("%s cannot be written to: %w", path, err)
		}
	}
	if to.through {
		return to, nil
	}
	folder := filepath.Dir(to.path)
	if makes {
		return to, checkFolder(folder)
	}
	switch info, err := os.Stat(folder); {
	case errors.Is(err, fs.ErrNotExist):
		return to, fmt.Errorf("%s: no such folder: %s; name a file in a folder that exists", path, folder)
	case errors.Is(err, syscall.ENOTDIR) || err == nil && !info.IsDir():
		return to, fmt.Errorf("%s: %s is not a folder", path, notFolder(path))
	case err != nil:
		return to, err
	}
	return to, tryIn(folder)
}

// checkFolder tells whether files can be written to a folder that is there, or
// whether it can be made.
func checkFolder(path string) error {
	path, err := follow(path)
	for err == nil {
		var info os.FileInfo
		info, err = os.Stat(path)
		switch {
		case err == nil && info.IsDir():
			return tryIn(path)
		case err == nil || errors.Is(err, syscall.ENOTDIR):
			return fmt.Errorf("%s is not a folder", notFolder(path))
		case errors.Is(err, fs.ErrNotExist) && filepath.Dir(path) != path:
			path, err = filepath.Dir(path), nil
		}
	}
	if errors.Is(err, syscall.ENOTDIR) {
		return fmt.Errorf("%s is not a folder", notFolder(path))
	}
	return err
}

// notFolder returns the part of a path that should be a folder and is none.
func notFolder(path string) string {
	for above := path; ; above = filepath.Dir(above) {
		if info, err := os.Stat(above); err == nil && !info.IsDir() || filepath.Dir(above) == above {
			return above
		}
	}
}

// tryIn makes a temporary file in a folder and removes it: permissions alone do
// not say whether a file system can be written to.
func tryIn(folder string) error {
	f, err := unfinished.create(folder, 0o666)
	if err != nil {
		if under := new(fs.PathError); errors.As(err, &under) {
			err = under.Err
		}
		return fmt.Errorf("no file can be made in the folder %s: %w", folder, err)
	}
	return errors.Join(f.Close(), unfinished.discard(f.Name()))
}
