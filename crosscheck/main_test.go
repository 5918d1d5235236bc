package crosscheck

import (
	"flag"
	"os"
	"testing"
)

// TestMain has rapid draw fewer random machines where each takes long, unless
// -rapid.checks says how many.
func TestMain(m *testing.M) {
	checks := "50"
	if raceEnabled {
		checks = "5"
	}
	if err := flag.Set("rapid.checks", checks); err != nil { // rapid registers it when it is imported
		panic(err)
	}
	os.Exit(m.Run()) // the command line comes last
}
