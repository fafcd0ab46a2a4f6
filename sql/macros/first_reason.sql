-- Of the reasons why numbers are not known, the one that stands first in the list.
create macro ops.first_reason(reason) as
list_extract(
    [
        'not read',
        'no rate',
        'refused',
        'session missing',
        'no position',
        'first week',
        'flow unknown'
    ],
    min(
        list_position(
            [
                'not read',
                'no rate',
                'refused',
                'session missing',
                'no position',
                'first week',
                'flow unknown'
            ],
            reason
        )
    )
);
