package sweep

// sources are the input files of a kind by the name that the user gave. Each is
// read once: a pipe gives its text once, and a file may change between two
// reads, so that what was hashed would not be what was simulated.
type sources map[string]source

type source struct {
	text     []byte
	filename string
	err      error
}

// read returns a file's text and its name for errors; the first time, from open.
func (all sources) read(name string, open func(name string) ([]byte, string, error)) ([]byte, string, error) {
	s, ok := all[name]
	if !ok {
		s.text, s.filename, s.err = open(name)
		all[name] = s
	}
	return s.text, s.filename, s.err
}
