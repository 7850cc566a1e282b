using Npgsql;

namespace Granary.Silo.Clustering;

/// <summary>Silos compare times in the membership, and records carry them: a clock that is far off would end healthy silos or records' lives too soon.</summary>
internal static class ClockCheck
{
    private static readonly TimeSpan s_tolerance = TimeSpan.FromSeconds(30);

    /// <summary>Null, or what is wrong, for people.</summary>
    public static async Task<string?> ComplaintAsync(NpgsqlDataSource source, TimeProvider time, CancellationToken cancellation)
    {
        await using var command = source.CreateCommand("SELECT clock_timestamp()");
        var theirs = new DateTimeOffset((DateTime)(await command.ExecuteScalarAsync(cancellation))!);
        return Complain(time.GetUtcNow() - theirs);
    }

    /// <param name="off">How far this machine's clock is ahead.</param>
    internal static string? Complain(TimeSpan off)
    {
        return off.Duration() <= s_tolerance
            ? null
            : $"This machine's clock is {off.Duration():hh\\:mm\\:ss} {(off > TimeSpan.Zero ? "ahead of" : "behind")} PostgreSQL's; at most {s_tolerance.TotalSeconds:0} s are tolerated. Set the clocks right and start again.";
    }
}
