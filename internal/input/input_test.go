package input

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func file(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestTextHasNoByteOrderMark(t *testing.T) {
	for text, want := range map[string]string{
		"\ufeffa: 1\n": "a: 1\n",
		"a: 1\n":       "a: 1\n",
		"\ufeff":       "",
		"":             "",
		"a\ufeffb":     "a\ufeffb", // only in front
	} {
		got, err := Text(file(t, text))
		if err != nil || string(got) != want {
			t.Errorf("%q reads as %q, %v", text, got, err)
		}
	}
}

func TestWhatIsNoTextIsRefused(t *testing.T) {
	for text, want := range map[string]string{
		"\xff\xfea\x00": "is text in UTF-16; save it as UTF-8",
		"\xfe\xff\x00a": "is text in UTF-16; save it as UTF-8",
		"a\nb\x00":      ":2: has a zero byte",
	} {
		name := file(t, text)
		if _, err := Text(name); err == nil || !strings.HasPrefix(err.Error(), name) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// endless never ends and counts what was taken of it.
type endless struct{ taken int64 }

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'a'
	}
	e.taken += int64(len(p))
	return len(p), nil
}

func TestTextIsBounded(t *testing.T) {
	if _, err := TextFrom(bytes.NewReader(bytes.Repeat([]byte("a"), MaxText)), "full"); err != nil {
		t.Error(err)
	}
	source := &endless{}
	_, err := TextFrom(source, "endless")
	if err == nil || err.Error() != "endless: is larger than 16 MiB; at most that is read" {
		t.Error(err)
	}
	if source.taken > MaxText+1 {
		t.Errorf("%d bytes were read", source.taken)
	}
}

func TestEndlessDevice(t *testing.T) {
	if _, err := os.Stat("/dev/zero"); err != nil {
		t.Skip("no /dev/zero here")
	}
	if _, err := Text("/dev/zero"); err == nil || !strings.Contains(err.Error(), "larger than 16 MiB") {
		t.Error(err)
	}
	if _, _, err := Data("/dev/zero"); err == nil || !strings.Contains(err.Error(), "is a device; a regular file is wanted") {
		t.Error(err)
	}
	if _, _, err := Data(t.TempDir()); err == nil || !strings.Contains(err.Error(), "is a directory") {
		t.Error(err)
	}
}

func TestErrorsOfTheSystemNameTheFileOnce(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{dir, filepath.Join(dir, "no")} {
		_, err := Text(name)
		if !errors.As(err, new(*fs.PathError)) || strings.Count(err.Error(), name) != 1 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestLines(t *testing.T) {
	l := NewLines(strings.NewReader("\ufeffa\r\n\nb"), "f")
	var got []string
	for l.Scan() {
		got = append(got, l.Text())
	}
	if l.Err() != nil || strings.Join(got, "|") != "a||b" || l.Line() != 3 {
		t.Errorf("%q, %v", got, l.Err())
	}
	l = NewLines(strings.NewReader("short\n"+strings.Repeat("a", MaxLine+1)), "f")
	for l.Scan() {
	}
	if err := l.Err(); err == nil || err.Error() != "f:2: a line of more than 65536 bytes; a text file with shorter lines is wanted" {
		t.Error(err)
	}
	l = NewLines(&endless{}, "f")
	for l.Scan() {
	}
	if l.Err() == nil {
		t.Error("a line without end was read")
	}
}

func TestPrintable(t *testing.T) {
	for text, want := range map[string]string{
		"plain, häßlich, 漢字, 🙂":    "plain, häßlich, 漢字, 🙂",
		"\x1b[31mred\x1b[0m":       `\x1b[31mred\x1b[0m`,
		"a\nb\tc\r":                `a\nb\tc\r`,
		"bell\a, nul\x00, del\x7f": `bell\a, nul\x00, del\x7f`,
		"c1 \u009b31m":             `c1 \u009b31m`,
		"bidi \u202eexe.txt":       `bidi \u202eexe.txt`,
		"sep \u2028":               `sep \u2028`,
		"broken \xff":              `broken \xff`,
		`<script>"'&\n`:            `<script>"'&\n`,
	} {
		if got := Printable(text); got != want {
			t.Errorf("%q prints as %q, want %q", text, got, want)
		}
	}
}
