using System.Diagnostics;
using Granary.Chaos.Clients;

namespace Granary.Chaos.Faults;

/// <summary>
/// For how long a partition acknowledged nothing to anybody when a silo was struck and nothing else was in the way: in orders of magnitude, about ten
/// times what `./dev bench` shows. A detection that has stopped working fails here; how fast it is, is measured there.
/// </summary>
internal sealed class FailoverTimes(Progress progress)
{
    /// <summary>What two cores add on which three silos, PostgreSQL and all clients run, some of them just started.</summary>
    private static readonly TimeSpan s_machine = TimeSpan.FromSeconds(2);

    private static readonly Dictionary<FaultKind, TimeSpan> s_limits = new()
    {
        [FaultKind.KillSilo] = TimeSpan.FromSeconds(3),
        [FaultKind.HangSilo] = TimeSpan.FromSeconds(15),
        [FaultKind.RestartSilo] = TimeSpan.FromSeconds(2),
    };

    private readonly Dictionary<FaultKind, TimeSpan> _longest = [];

    public override string ToString() =>
        string.Join(", ", _longest.OrderBy(one => one.Key).Select(one => $"after {one.Key} a partition acknowledged nothing for {one.Value.TotalMilliseconds:0} ms at most"));

    /// <summary>It strikes now; null: this kind has no limit.</summary>
    public Timing? Begin(FaultKind kind)
    {
        if (!s_limits.ContainsKey(kind))
            return null;
        progress.BeginWatch();
        return new Timing(this, progress, kind, Stopwatch.GetTimestamp());
    }

    public sealed record Timing(FailoverTimes Times, Progress Progress, FaultKind Kind, long Began)
    {
        /// <summary>It is healed; waits until all partitions acknowledge. What is wrong, or null.</summary>
        public async Task<string?> EndAsync(EndJudge judge)
        {
            var gap = await Progress.EndWatchAsync();
            if (gap > Times._longest.GetValueOrDefault(Kind))
                Times._longest[Kind] = gap;
            var limit = s_limits[Kind] + s_machine + judge.LongestStallSince(Began);
            return gap <= limit ? null : $"after {Kind} a partition acknowledged nothing for {gap.TotalSeconds:0.0} s, and {limit.TotalSeconds:0.0} s is the limit";
        }
    }
}
