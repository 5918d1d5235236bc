package output

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// destination is what a path leads to.
type destination struct {
	path string      // without links, if it is to be replaced
	info os.FileInfo // of the file that is there; nil if there is none
	// through says to write to what is there instead of replacing it: a device,
	// a FIFO, an open file. stream is that file if it is the program's own output.
	through bool
	stream  *os.File
}

// find returns what a path leads to, and an error if no file can be there.
func find(path string) (destination, error) {
	if path == "" {
		return destination{}, errors.New("an empty name; name a file")
	}
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		to, err := follow(path)
		return destination{path: to}, err
	}
	if err != nil {
		return destination{}, err
	}
	d := destination{path: path, info: info}
	if info.IsDir() {
		return d, fmt.Errorf("%s is a folder; name a file", path)
	}
	for _, own := range []*os.File{os.Stdout, os.Stderr} {
		if open, err := own.Stat(); err == nil && os.SameFile(open, info) {
			d.stream, d.through = own, true
			return d, nil
		}
	}
	switch kind := info.Mode().Type(); {
	case kind&fs.ModeSocket != 0:
		return d, fmt.Errorf("%s is a socket; name a file", path)
	case kind&fs.ModeDevice != 0 && kind&fs.ModeCharDevice == 0:
		return d, fmt.Errorf("%s is a disk; name a file", path)
	case kind != 0:
		d.through = true
		return d, nil
	}
	to, err := follow(path)
	if err != nil {
		return d, err
	}
	// What /proc says of an open file need not be its name any more.
	if named, err := os.Lstat(to); err != nil || !os.SameFile(named, info) {
		d.through = true
		return d, nil
	}
	d.path = to
	return d, nil
}

// mostLinks is how many links may lead to a file: Linux' own limit (MAXSYMLINKS).
const mostLinks = 40

// follow returns the path that symbolic links lead to; there need not be anything.
func follow(path string) (string, error) {
	for range mostLinks {
		info, err := os.Lstat(path)
		if errors.Is(err, fs.ErrNotExist) || (err == nil && info.Mode()&fs.ModeSymlink == 0) {
			return path, nil
		}
		if err != nil {
			return path, err
		}
		link, err := os.Readlink(path)
		if err != nil {
			return path, err
		}
		if filepath.IsAbs(link) {
			path = link
			continue
		}
		// Not filepath.Join: ".." after a link is not the folder that stands before it.
		folder, _ := filepath.Split(path)
		if folder, err = filepath.EvalSymlinks(filepath.Clean(folder)); err != nil {
			return path, err
		}
		path = folder + string(filepath.Separator) + link
	}
	return path, &fs.PathError{Op: "follow", Path: path, Err: syscall.ELOOP}
}
