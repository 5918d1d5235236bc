package dram

import (
	"embed"
	"fmt"
	"slices"
	"strings"

	"github.com/accelsim-dev/accelsim/internal/spelling"
)

// Each built-in device is one file in devices/, in the format of [ReadINI],
// with the source of every figure.
//
//go:embed devices/*.ini
var deviceFiles embed.FS

// Names lists the built-in devices in alphabetical order.
func Names() []string {
	entries, err := deviceFiles.ReadDir("devices")
	if err != nil {
		return nil
	}
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ".ini"))
	}
	slices.Sort(names)
	return names
}

// Lookup returns a built-in device. An unknown name is answered with the
// nearest one and the list of all.
func Lookup(name string) (Device, error) {
	names := Names()
	if !slices.Contains(names, name) {
		return Device{}, fmt.Errorf("unknown memory device %q; did you mean %s? Have %s", name, spelling.Nearest(name, names), strings.Join(names, ", "))
	}
	file := "devices/" + name + ".ini"
	f, err := deviceFiles.Open(file)
	if err != nil {
		return Device{}, err
	}
	defer f.Close()
	d, _, err := ReadINI(f, file)
	return d, err
}
