"""Prints what the vendor's package reads in each file, one JSON line a file."""
import json
import sys

import databento_dbn as d

TRADE = "price size side flags ts_recv"
EVENT = TRADE + " action depth ts_in_delta sequence"
STAT = "ts_recv ts_ref price quantity sequence ts_in_delta stat_type channel_id update_action stat_flags"
DEFINITION = """ts_recv min_price_increment expiration activation unit_of_measure_qty underlying_id raw_instrument_id
    contract_multiplier maturity_year maturity_month maturity_day currency raw_symbol group exchange asset cfi security_type
    unit_of_measure underlying instrument_class strike_price security_update_action user_defined_instrument"""
MAPPING = "stype_in_symbol stype_out_symbol start_ts end_ts"
FIELDS = {
    0: EVENT, 1: EVENT, 10: EVENT, 195: TRADE + " sequence", 196: TRADE + " sequence", 192: TRADE, 193: TRADE,
    177: TRADE + " action ts_in_delta", 194: TRADE + " action ts_in_delta", 24: STAT, 19: DEFINITION, 22: MAPPING,
}


def text(v):
    """Numbers, enums and flags as numbers, everything else as the package prints it."""
    if isinstance(v, str):
        return v
    try:
        return str(int(v))
    except (TypeError, ValueError):
        return str(v)


def record(r):
    rtype = int(r.rtype)
    out = dict(rtype=rtype, publisher_id=r.publisher_id, instrument_id=r.instrument_id, ts_event=r.ts_event)
    out.update((f, getattr(r, f)) for f in FIELDS.get(rtype, "").split())
    for i, level in enumerate(getattr(r, "levels", []) if rtype in FIELDS else []):
        for f in "bid_px ask_px bid_sz ask_sz bid_ct ask_ct bid_pb ask_pb".split():
            if hasattr(level, f):
                out[f"{f}_{i:02}"] = getattr(level, f)
    return {k: text(v) for k, v in out.items()}


for path in sys.argv[1:]:
    decoder = d.DBNDecoder(has_metadata=True, upgrade_policy=d.VersionUpgradePolicy.AS_IS)
    with open(path, "rb") as f:
        decoder.write(f.read())
    head, *records = decoder.decode()
    print(json.dumps(dict(
        Head=dict(
            version=str(head.version), dataset=head.dataset, schema=str(head.schema or "mixed"), start=str(head.start),
            end=str(head.end or d.UNDEF_TIMESTAMP), limit=str(head.limit or 0), stype_in=str(head.stype_in or "mixed"),
            stype_out=str(head.stype_out), ts_out=str(head.ts_out), symbols=" ".join(head.symbols), partial=" ".join(head.partial),
            not_found=" ".join(head.not_found),
            mappings=" ".join(sorted(f"{k}:{i['start_date']:%Y%m%d}-{i['end_date']:%Y%m%d}={i['symbol']}" for k, v in head.mappings.items() for i in v)),
        ),
        Records=[record(r) for r in records],
    )))
