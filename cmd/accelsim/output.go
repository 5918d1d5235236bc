package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/accelsim-dev/accelsim/internal/output"
	"github.com/accelsim-dev/accelsim/report"
)

// Annotations of flags that say where something is written. checkOutputs looks at
// all of them before a command begins.
const (
	writesFile   = "accelsim_writes_file"
	writesFolder = "accelsim_writes_folder" // with the files that are going to be in it
)

// fileFlag registers a flag that names a file to write.
func fileFlag(c *cobra.Command, to *string, name, usage string) {
	c.Flags().StringVar(to, name, "", usage)
	c.Flags().Lookup(name).Annotations = map[string][]string{writesFile: nil}
}

// folderFlag registers a flag that names a folder to write to, with those of its
// files that are known beforehand.
func folderFlag(c *cobra.Command, to *string, name, usage string, files ...string) {
	c.Flags().StringVar(to, name, "", usage)
	c.Flags().Lookup(name).Annotations = map[string][]string{writesFolder: files}
}

// checkOutputs refuses what cannot be written, and two flags that name one file,
// before anything is computed.
func checkOutputs(c *cobra.Command, args []string) error {
	if emit := c.Flags().Lookup("emit"); emit != nil && emit.Changed {
		return nil // the command is only printed, for another machine
	}
	var outputs, inputs []output.Place
	c.Flags().VisitAll(func(f *pflag.Flag) {
		value, flag := f.Value.String(), "--"+f.Name
		if !f.Changed || value == "" {
			return
		}
		files, folder := f.Annotations[writesFolder]
		if _, file := f.Annotations[writesFile]; file || folder {
			outputs = append(outputs, output.Place{Flag: flag, Path: value, Folder: folder, Files: files})
			return
		}
		names := []string{value}
		if list, ok := f.Value.(pflag.SliceValue); ok {
			names = list.GetSlice()
		}
		for _, name := range names {
			inputs = append(inputs, output.Place{Flag: flag, Path: name})
		}
	})
	for _, name := range args {
		inputs = append(inputs, output.Place{Flag: c.Name(), Path: name})
	}
	return usage(output.Check(outputs, inputs))
}

// written is a file, or files that belong together, for which a flag asks.
type written struct {
	flag  string
	write func() error
}

// toFile is a file that is written if its flag is given.
func toFile(flag, path string, write func(io.Writer) error) written {
	return written{flag, func() error {
		if path == "" {
			return nil
		}
		return output.WriteFile(path, write)
	}}
}

// failures are errors of which each is worth a line.
type failures []error

// Error lists them.
func (f failures) Error() string { return errors.Join(f...).Error() }

// Unwrap returns them.
func (f failures) Unwrap() []error { return f }

// join returns those errors that there are.
func join(all ...error) error {
	var failed failures
	for _, err := range all {
		if several := failures(nil); errors.As(err, &several) {
			failed = append(failed, several...)
		} else if err != nil {
			failed = append(failed, err)
		}
	}
	if len(failed) == 0 {
		return nil
	}
	return failed
}

// finish writes what a command leaves: files first, standard output last, so that
// a reader that leaves takes nothing else along. What cannot be written keeps
// neither other files nor what is printed from being there.
func finish(print func() error, files ...written) error {
	var failed error
	for _, f := range files {
		if err := f.write(); err != nil {
			failed = join(failed, fmt.Errorf("--%s: %w", f.flag, err))
		}
	}
	return join(failed, print())
}

// outputFlags say where results go.
type outputFlags struct{ format, out string }

// resultFiles are in every folder of results.
var resultFiles = []string{"result.json", "result.csv", "result.txt"}

// register adds the flags; more are files that the command adds to the folder.
func (f *outputFlags) register(c *cobra.Command, more ...string) {
	c.Flags().StringVar(&f.format, "format", "table", "table, json or csv")
	files := append(more, resultFiles...)
	last := len(files) - 1
	usage := fmt.Sprintf("folder to write %s and %s to", strings.Join(files[:last], ", "), files[last])
	folderFlag(c, &f.out, "out", usage, files...)
}

// check refuses a format that there is not.
func (f *outputFlags) check() error {
	switch f.format {
	case "table", "json", "csv":
		return nil
	}
	return usage(fmt.Errorf("--format %q; write table, json or csv", f.format))
}

// print writes a result in all formats to a folder, if asked for, with more files
// of the same set; then others; and prints it.
func (f *outputFlags) print(stdout io.Writer, data any, table func(io.Writer) error, more []output.File, others ...written) error {
	formats := map[string]output.File{
		"table": {Name: "result.txt", Write: table},
		"json":  {Name: "result.json", Write: func(w io.Writer) error { return report.WriteJSON(w, data) }},
		"csv":   {Name: "result.csv", Write: func(w io.Writer) error { return report.WriteCSV(w, data) }},
	}
	set := append([]output.File{formats["table"], formats["csv"]}, more...)
	set = append(set, formats["json"]) // last: who finds it finds all
	files := append([]written{toFolder("out", f.out, set)}, others...)
	return finish(func() error { return formats[f.format].Write(stdout) }, files...)
}

// toFolder is a set of files that is written if its flag is given.
func toFolder(flag, folder string, files []output.File) written {
	return written{flag, func() error {
		if folder == "" {
			return nil
		}
		return output.WriteFolder(folder, files)
	}}
}
