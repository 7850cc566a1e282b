using Granary.Abstractions.Cluster;

namespace Granary.Gateway.Http.Live;

/// <summary>Reads one silo's journal and sums by a long poll, and now and then what it has open, until it is stopped.</summary>
internal sealed class SiloReader(SiloMember member, LiveSources sources, TimeProvider time, bool isHistoryFirst)
{
    private static readonly TimeSpan s_wait = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan s_topicsInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_hostedInterval = TimeSpan.FromSeconds(2);

    private readonly CancellationTokenSource _stop = CancellationTokenSource.CreateLinkedTokenSource(sources.Stopping);
    private readonly ClockOffset _clock = new();
    private long _lastId;
    private long _topicsAt;
    private long _hostedAt;
    private int _failures;
    private bool _isHistory = isHistoryFirst;

    /// <summary>As the newest map has it.</summary>
    public SiloMember Member { get; set; } = member;

    /// <summary>True: it has answered in full once, or has not answered.</summary>
    public bool HasAsked { get; private set; }

    public void Stop() => _stop.Cancel();

    /// <param name="apply">Changes what is known, one change at a time.</param>
    public async Task RunAsync(Action<Action<LiveState, TrafficRates>> apply)
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await ReadAsync(apply);
                _failures = 0;
            }
            catch (Exception) when (_stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception)
            {
                // It is gone, hangs or is cut off: the readers are told so, and it is asked again as long as it is a member.
                // Once is no sign: at the edge all calls that are out are given up when any silo is lost.
                HasAsked = true;
                if (++_failures > 1)
                    apply((state, _) => state.Silent(Member, time.GetUtcNow()));
                await Task.Delay(s_wait, time, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task ReadAsync(Action<Action<LiveState, TrafficRates>> apply)
    {
        var withTopics = _topicsAt == 0 || time.GetElapsedTime(_topicsAt) >= s_topicsInterval;
        var sent = time.GetUtcNow();
        var page = await sources.Silo(Member).WatchAsync(_lastId, _isHistory ? TimeSpan.Zero : s_wait, withTopics).WaitAsync(s_patience, time, _stop.Token);
        _clock.Learn(sent, page.ReceivedAt, page.AnsweredAt, time.GetUtcNow());
        if (withTopics)
            _topicsAt = time.GetTimestamp();
        var (isHistory, former) = (_isHistory, _lastId);
        _lastId = page.LastId;
        _isHistory &= page.Happenings.Length > 0;
        apply((state, rates) =>
        {
            state.Answered(Member, _clock.ToHere(page.AnsweredAt));
            rates.Learn(Member.Silo, page.Traffic);
            foreach (var happening in page.Happenings)
                state.Take(Member, happening with { At = _clock.ToHere(happening.At) }, isHistory);
        });

        // What the journal has forgotten is made good by asking for what is open.
        if (_isHistory || (_hostedAt != 0 && !(page.Missed && former > 0) && time.GetElapsedTime(_hostedAt) < s_hostedInterval))
            return;
        var hosted = await sources.Silo(Member).PartitionsAsync().WaitAsync(s_patience, time, _stop.Token);
        _hostedAt = time.GetTimestamp();
        apply((state, _) => state.SetHosted(Member, hosted, time.GetUtcNow()));
        HasAsked = true;
    }
}
