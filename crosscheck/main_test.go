package crosscheck

import (
	"flag"
	"os"
	"testing"
)

// TestMain has rapid draw fewer random machines under the race detector, unless
// -rapid.checks says how many.
func TestMain(m *testing.M) {
	if raceEnabled {
		if err := flag.Set("rapid.checks", "5"); err != nil { // rapid registers it when it is imported
			panic(err)
		}
	}
	os.Exit(m.Run()) // the command line comes last
}
