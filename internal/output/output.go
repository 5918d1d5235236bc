// Package output writes every file and folder that the program leaves behind.
//
// [Check] looks at the places that a command line names before the work begins;
// [WriteFile] and [WriteFolder] write them afterwards. A file is written beside
// its place under a temporary name, flushed to the disk and renamed: what was
// there before stays until the new file is complete. What is at the place is
// respected: a symbolic link is followed and stays, a device or a FIFO is
// written to, a file keeps its permissions. Temporary files are removed after an
// error and by [Discard], which a signal calls; those that a kill left behind are
// removed by the next program that writes to the folder.
//
// github.com/google/renameio replaces a file as atomically, but neither follows
// links to files nor writes to devices, knows no sets of files, and leaves its
// temporary files to whoever finds them.
package output

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// File is a file of a set: where it goes, and what writes it.
type File struct {
	Name  string // in the set's folder, with slashes
	Write func(io.Writer) error
}

// Text is a file that is there already, in memory.
func Text(name string, text []byte) File {
	return File{name, func(w io.Writer) error { _, err := w.Write(text); return err }}
}

// WriteFile writes one file, whole or not at all.
func WriteFile(path string, write func(io.Writer) error) error {
	var s set
	if err := s.add(path, write); err != nil {
		return errors.Join(err, s.discard())
	}
	return s.commit("")
}

// WriteFolder writes files that belong together into a folder, which it makes if
// need be: all of them, or none. All are complete on the disk before the first
// takes its place. If the machine stops while they do, the folder keeps a file
// that says so, and [Incomplete] finds it.
func WriteFolder(folder string, files []File) error {
	var s set
	err := s.makeFolder(folder)
	for i := 0; i < len(files) && err == nil; i++ {
		path := filepath.Join(folder, filepath.FromSlash(files[i].Name))
		if err = s.makeFolder(filepath.Dir(path)); err == nil {
			err = s.add(path, files[i].Write)
		}
	}
	if err != nil {
		return errors.Join(err, s.discard())
	}
	return s.commit(folder)
}

// set is files that have been written under temporary names.
type set struct {
	files   []*temporary
	folders []string // that were made for them
}

// makeFolder makes a folder, or the one that a link leads to, and those above it.
func (s *set) makeFolder(folder string) error {
	folder, err := follow(folder)
	if err != nil {
		return err
	}
	info, err := os.Stat(folder)
	switch {
	case err == nil && info.IsDir():
		return nil
	case err == nil:
		return fmt.Errorf("%s is not a folder", folder)
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	if above := filepath.Dir(folder); above != folder {
		if err := s.makeFolder(above); err != nil {
			return err
		}
	}
	made, err := unfinished.makeFolder(folder)
	if made {
		s.folders = append(s.folders, folder)
	}
	return err
}

// add writes what goes to a path: under a temporary name, or through to a device.
func (s *set) add(path string, write func(io.Writer) error) error {
	to, err := find(path)
	if err != nil {
		return err
	}
	if to.through {
		return to.writeThrough(write)
	}
	t, err := newTemporary(to)
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	s.files = append(s.files, t)
	if err := fill(t.file, write); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	if err := t.file.Sync(); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return nil
}

// writeThrough writes to what is at a path, which is not a file to be replaced.
func (d destination) writeThrough(write func(io.Writer) error) (err error) {
	f := d.stream
	if f == nil {
		if f, err = os.OpenFile(d.path, os.O_WRONLY|os.O_TRUNC, 0); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, f.Close()) }()
	}
	if err := fill(f, write); err != nil {
		return fmt.Errorf("writing %s: %w", d.path, err)
	}
	return nil
}

// fill lets write write to a file through a buffer.
func fill(f *os.File, write func(io.Writer) error) error {
	const size = 1 << 16
	buffered := bufio.NewWriterSize(f, size)
	if err := write(buffered); err != nil {
		return err
	}
	return buffered.Flush()
}

// discard removes the set's temporary files, and the folders made for them.
func (s *set) discard() error {
	unfinished.Lock()
	defer unfinished.Unlock()
	return s.drop(s.files)
}

// drop removes temporary files and folders; the caller holds the lock.
func (s *set) drop(files []*temporary) error {
	var err error
	for _, t := range files {
		err = errors.Join(err, t.file.Close(), unfinished.remove(t.name))
	}
	for i := len(s.folders) - 1; i >= 0; i-- {
		_ = unfinished.remove(s.folders[i]) // one that has something in it stays
	}
	return err
}

// commit renames the set's files to their places. No signal comes in between:
// [Discard] waits. Files of a folder are marked as incomplete meanwhile.
func (s *set) commit(folder string) error {
	unfinished.Lock()
	defer unfinished.Unlock()
	marked := folder != "" && len(s.files) > 1
	if marked {
		if err := mark(folder); err != nil {
			return errors.Join(err, s.drop(s.files))
		}
	}
	for i, t := range s.files {
		if err := os.Rename(t.name, t.to.path); err != nil {
			if marked && i == 0 {
				err = errors.Join(err, unmark(folder))
			}
			return errors.Join(err, s.drop(s.files[i:]))
		}
		unfinished.forget(t.name)
	}
	for _, made := range s.folders {
		unfinished.forget(made)
	}
	var err error
	flushed := map[string]bool{}
	for _, t := range s.files {
		err = errors.Join(err, t.file.Close())
		if in := filepath.Dir(t.to.path); !flushed[in] {
			flushed[in] = true
			flushFolder(in)
		}
	}
	if marked {
		err = errors.Join(err, unmark(folder))
	}
	return err
}

// flushFolder flushes a folder's names to the disk, where the system can.
func flushFolder(folder string) {
	if f, err := os.Open(folder); err == nil {
		_ = f.Sync() // not every file system can; the files themselves are safe
		_ = f.Close()
	}
}
