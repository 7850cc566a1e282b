namespace Granary.Gateway.Http.Live;

/// <summary>
/// How far another process's clock is ahead of this one's, from four times of a question and its answer, as NTP does it (RFC 5905): wrong by half of
/// the way's time at the most. The question with the shortest way counts, until it is too old.
/// </summary>
internal sealed class ClockOffset
{
    private static readonly TimeSpan s_maxAge = TimeSpan.FromMinutes(1);

    private TimeSpan _way = TimeSpan.MaxValue;
    private DateTimeOffset _learnedAt;

    public TimeSpan Ahead { get; private set; }

    /// <param name="sent">This clock.</param>
    /// <param name="received">The other clock.</param>
    /// <param name="answered">The other clock.</param>
    /// <param name="returned">This clock.</param>
    public void Learn(DateTimeOffset sent, DateTimeOffset received, DateTimeOffset answered, DateTimeOffset returned)
    {
        var way = returned - sent - (answered - received);
        if (way > _way && returned - _learnedAt < s_maxAge)
            return;
        (_way, _learnedAt) = (way, returned);
        Ahead = ((received - sent) + (answered - returned)) / 2;
    }

    /// <summary>A time of the other clock, by this one.</summary>
    public DateTimeOffset ToHere(DateTimeOffset theirs) => theirs - Ahead;
}
