package parquet

import (
	"fmt"
	"runtime"
	"sync"
	"weak"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/schema"
)

// schemas are the Parquet schemas of the Arrow schemas in use: a contract has one
// for thousands of files.
var schemas sync.Map // weak.Pointer[arrow.Schema] → *schema.Schema

// columnsOf is the Parquet schema of s.
func columnsOf(s *arrow.Schema) (*schema.Schema, error) {
	key := weak.Make(s)
	if known, ok := schemas.Load(key); ok {
		return known.(*schema.Schema), nil
	}
	columns, err := toParquet(s)
	if err != nil {
		return nil, err
	}
	if _, there := schemas.LoadOrStore(key, columns); !there {
		runtime.AddCleanup(s, func(key weak.Pointer[arrow.Schema]) { schemas.Delete(key) }, key)
	}
	return columns, nil
}

// toParquet is pqarrow.ToParquet for the types that are stored. That package brings
// gRPC and all compute functions of Arrow with it: half of the start of every command.
func toParquet(s *arrow.Schema) (*schema.Schema, error) {
	nodes := make(schema.FieldList, s.NumFields())
	for i, f := range s.Fields() {
		node, err := nodeOf(f.Name, f.Type, f.Nullable)
		if err != nil {
			return nil, fmt.Errorf("column %q: %w", f.Name, err)
		}
		nodes[i] = node
	}
	root, err := schema.NewGroupNode(properties.RootName(), properties.RootRepetition(), nodes, -1)
	if err != nil {
		return nil, err
	}
	return schema.NewSchema(root), nil
}

func nodeOf(name string, t arrow.DataType, nullable bool) (schema.Node, error) {
	repetition := parquet.Repetitions.Required
	if nullable {
		repetition = parquet.Repetitions.Optional
	}
	var physical parquet.Type
	var logical schema.LogicalType = schema.NoLogicalType{}
	switch t.ID() {
	case arrow.INT64:
		logical, physical = schema.NewIntLogicalType(64, true), parquet.Types.Int64
	case arrow.INT32:
		logical, physical = schema.NewIntLogicalType(32, true), parquet.Types.Int32
	case arrow.FLOAT64:
		physical = parquet.Types.Double
	case arrow.FLOAT32:
		physical = parquet.Types.Float
	case arrow.STRING:
		logical, physical = schema.StringLogicalType{}, parquet.Types.ByteArray
	case arrow.BOOL:
		physical = parquet.Types.Boolean
	case arrow.LIST:
		element, err := nodeOf(name, t.(*arrow.ListType).Elem(), true)
		if err != nil {
			return nil, err
		}
		return schema.ListOf(element, repetition, -1)
	default:
		return nil, fmt.Errorf("type %s is not one that is stored; use long, int, double, float, string, boolean or an array of them", t)
	}
	return schema.NewPrimitiveNodeLogical(name, repetition, logical, physical, -1, -1)
}
