package dbn

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"dag/engine/stage"
)

// RecordsPerCheck is how often a cancelled run is noticed.
const RecordsPerCheck = 4096

// EachRecord calls take for every record of a file of one of the schemas; reads says
// in words which those are. A record is good until take returns.
func EachRecord(ctx context.Context, f stage.File, reads string, schemas []Schema, take func(in *Reader, rec []byte) error) (err error) {
	src, err := f.Open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, src.Close()) }()
	in, err := NewReader(src, f.Name())
	if err != nil {
		return err
	}
	defer in.Close()
	if !slices.Contains(schemas, in.Metadata.Schema) {
		return fmt.Errorf("%s: the file holds records of schema %s; %s", f.Name(), in.Metadata.Schema, reads)
	}
	for {
		rec, err := in.Next()
		if err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		if in.Records()%RecordsPerCheck == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if err := take(in, rec); err != nil {
			return fmt.Errorf("%s: record %d, before byte %d: %w", f.Name(), in.Records()-1, in.Offset(), err)
		}
	}
}
