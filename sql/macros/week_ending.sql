-- The week of a day by its end, which falls on a given weekday (F17).
create macro ops.week_ending(day, weekday) as
day + cast(
    (
        list_position(
            ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'],
            weekday
        )
        - isodow(day)
        + 7
    ) % 7 as integer
);
