package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/accelsim-dev/accelsim/internal/input"
)

// say prints one line on stderr: an error, a warning or a note. What a terminal
// would obey in it is escaped, as some of it is from users' files.
func say(format string, args ...any) {
	text := strings.Join(strings.Fields(fmt.Sprintf(format, args...)), " ")
	fmt.Fprintf(os.Stderr, "accelsim: %s\n", input.Printable(text))
}
