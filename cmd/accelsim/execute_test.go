package main

import (
	"encoding/json"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files in testdata")

// commandLine runs a command line as a user does and returns what it prints.
func commandLine(t testing.TB, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var files [2]*os.File
	for i := range files {
		f, err := os.CreateTemp(t.TempDir(), "")
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		files[i] = f
	}
	out, errors := os.Stdout, os.Stderr
	os.Stdout, os.Stderr = files[0], files[1]
	defer func() { os.Stdout, os.Stderr = out, errors }()
	status = execute(t.Context(), args)
	var text [2]string
	for i, f := range files {
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			t.Fatal(err)
		}
		all, err := io.ReadAll(f)
		if err != nil {
			t.Fatal(err)
		}
		text[i] = string(all)
	}
	return status, text[0], text[1]
}

// succeed runs a command line that must end well and be silent on stderr.
func succeed(t testing.TB, args ...string) string {
	t.Helper()
	status, stdout, stderr := commandLine(t, args...)
	if status != exitDone || stderr != "" {
		t.Fatalf("accelsim %s: exit %d\n%s", strings.Join(args, " "), status, stderr)
	}
	return stdout
}

// decodeJSON reads the JSON that a command line prints.
func decodeJSON(t testing.TB, args ...string) map[string]any {
	t.Helper()
	return decodeText(t, succeed(t, append(args, "--format", "json")...))
}

// decodeText reads a JSON object.
func decodeText(t testing.TB, text string) map[string]any {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var tree map[string]any
	if err := decoder.Decode(&tree); err != nil {
		t.Fatal(err)
	}
	return tree
}

// valueAt returns the value at a path of keys, nil if there is none.
func valueAt(tree any, path string) any {
	for key := range strings.SplitSeq(path, ".") {
		switch v := tree.(type) {
		case map[string]any:
			tree = v[key]
		case []any:
			if len(v) == 0 {
				return nil
			}
			tree = v[0]
			if key != "0" {
				return nil
			}
		default:
			return nil
		}
	}
	return tree
}

// holdToFile compares text with a file in testdata, or rewrites the file.
func holdToFile(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v; make golden-update writes it", err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("%s differs, want -, got +; if it should, run make golden-update:\n%s", file, diff)
	}
}

// tempFile puts a file into a temporary folder and returns its name.
func tempFile(t testing.TB, name, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}
