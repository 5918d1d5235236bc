package output

import (
	"fmt"
	"os"
	"path/filepath"
)

// incomplete is the file that says that a folder's files do not belong together.
const incomplete = "INCOMPLETE.accelsim.txt"

const incompleteText = "accelsim was stopped while it replaced the files in this folder: some are new, some are old.\n" +
	"Run the same command again; it removes this file when all are there.\n"

func mark(folder string) error {
	return os.WriteFile(filepath.Join(folder, incomplete), []byte(incompleteText), 0o666)
}

func unmark(folder string) error { return os.Remove(filepath.Join(folder, incomplete)) }

// Incomplete returns an error for a folder whose files do not belong together,
// because [WriteFolder] was stopped among them.
func Incomplete(folder string) error {
	if _, err := os.Lstat(filepath.Join(folder, incomplete)); err != nil {
		return nil
	}
	return fmt.Errorf("%s has old and new files: accelsim was stopped while it replaced them; run the command that writes it again", folder)
}
