package output

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// temporaryPrefix begins the name of every temporary file.
const temporaryPrefix = ".accelsim-tmp-"

// temporary is a file under its temporary name. It is locked for as long as
// somebody writes it: one without a lock was left behind.
type temporary struct {
	name string
	file *os.File
	to   destination
}

// newTemporary makes a temporary file in the folder of its destination, with the
// permissions of the file that is there; a new file's are what umask leaves.
func newTemporary(to destination) (*temporary, error) {
	folder := filepath.Dir(to.path)
	sweep(folder)
	mode := os.FileMode(0o666)
	if to.info != nil {
		mode = to.info.Mode().Perm()
	}
	f, err := unfinished.create(folder, mode)
	if err != nil {
		return nil, err
	}
	t := &temporary{f.Name(), f, to}
	if to.info == nil {
		return t, nil
	}
	giveTo(f, to.info)
	if has, err := f.Stat(); err == nil && has.Mode().Perm() != mode {
		if err := f.Chmod(mode); err != nil {
			return nil, errors.Join(err, f.Close(), unfinished.discard(f.Name()))
		}
	}
	return t, nil
}

// record is all that would be left behind if the program ended now: temporary
// files and the folders made for them. Its lock is held while files take their
// places, and for ever once the program ends.
type record struct {
	sync.Mutex
	paths []string // in the order in which they were made
}

// unfinished is the program's record; a signal concerns the whole program.
var unfinished record

// Discard removes all temporary files and lets no more be made. Call it when the
// program is about to end by a signal. A set of files that is taking its places
// does so first.
func Discard() { unfinished.end() }

// end removes everything and keeps the lock.
func (r *record) end() {
	r.Lock()
	for _, path := range slices.Backward(r.paths) {
		_ = os.Remove(path) // there is nobody to tell
	}
}

// create makes a temporary file and locks it.
func (r *record) create(folder string, mode os.FileMode) (*os.File, error) {
	const tries = 100
	r.Lock()
	defer r.Unlock()
	for range tries {
		name := filepath.Join(folder, fmt.Sprintf("%s%016x", temporaryPrefix, rand.Uint64()))
		f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, mode)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		lock(f)
		if _, err := os.Lstat(name); err != nil { // swept before it was locked
			_ = f.Close()
			continue
		}
		r.paths = append(r.paths, name)
		return f, nil
	}
	return nil, fmt.Errorf("%s: no temporary file can be kept there", folder)
}

// makeFolder makes a folder unless it is there, and tells whether it did.
func (r *record) makeFolder(folder string) (made bool, err error) {
	r.Lock()
	defer r.Unlock()
	if err := os.Mkdir(folder, 0o777); err != nil {
		if errors.Is(err, fs.ErrExist) { // somebody else was faster
			return false, nil
		}
		return false, err
	}
	r.paths = append(r.paths, folder)
	return true, nil
}

// discard removes a temporary file.
func (r *record) discard(path string) error {
	r.Lock()
	defer r.Unlock()
	return r.remove(path)
}

// remove removes a temporary file or an empty folder; the caller holds the lock.
func (r *record) remove(path string) error {
	r.forget(path)
	return os.Remove(path)
}

// forget strikes out what has become permanent; the caller holds the lock.
func (r *record) forget(path string) {
	r.paths = slices.DeleteFunc(r.paths, func(p string) bool { return p == path })
}

// sweep removes temporary files that a kill left in a folder.
func sweep(folder string) {
	names, _ := filepath.Glob(filepath.Join(quote(folder), temporaryPrefix+"*")) // the pattern is well-formed
	for _, name := range names {
		if f, err := os.OpenFile(name, os.O_RDWR, 0); err == nil {
			if abandoned(f) {
				_ = os.Remove(name) // one that cannot be removed does no harm
			}
			_ = f.Close()
		}
	}
}

// quote makes a folder's name a pattern that matches nothing else.
func quote(folder string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(folder)
}
