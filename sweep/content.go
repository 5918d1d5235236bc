package sweep

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"reflect"
)

// Key is 128 bits of the SHA-256 of a value, for telling values apart.
type Key [16]byte

// String prints it in hexadecimal.
func (k Key) String() string { return hex.EncodeToString(k[:]) }

// MarshalText is String, for JSON.
func (k Key) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (k *Key) UnmarshalText(text []byte) error {
	if len(text) != hex.EncodedLen(len(k)) {
		return fmt.Errorf("%q is not a point's key", text)
	}
	_, err := hex.Decode(k[:], text)
	return err
}

// content is the key of plain data: of all that a value and what it points to
// hold, exported or not. What a file says in other words has the same content.
func content(v any) (k Key) {
	h := sha256.New()
	digest(h, reflect.ValueOf(v))
	copy(k[:], h.Sum(nil))
	return k
}

// digest writes a value such that no other writes the same.
func digest(w io.Writer, v reflect.Value) {
	switch v.Kind() {
	case reflect.Invalid:
		fmt.Fprint(w, "nil;")
	case reflect.Pointer, reflect.Interface:
		digest(w, v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			digest(w, v.Field(i))
		}
	case reflect.Slice, reflect.Array:
		fmt.Fprintf(w, "[%d]", v.Len())
		for i := range v.Len() {
			digest(w, v.Index(i))
		}
	case reflect.String:
		fmt.Fprintf(w, "%q;", v.String())
	default: // numbers and truths: nothing else is plain data
		fmt.Fprintf(w, "%v;", v)
	}
}
