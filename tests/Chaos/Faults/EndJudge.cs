using System.Diagnostics;
using System.Net.Sockets;
using Granary.Gateway.Hosting;
using Granary.Support;
using Granary.Support.Histories;

namespace Granary.Chaos.Faults;

/// <summary>
/// Says whether a silo that ended by itself had a reason. The only one is that the others declared it dead, which its exit code tells; and they
/// may do that only while it hangs or is cut off from them, until it is well and a member again, or where the machine gave processes no processor
/// in the seconds before. Being cut off from PostgreSQL is no reason.
/// </summary>
internal sealed class EndJudge(ClusterProcess cluster, HistoryFile history) : IAsyncDisposable
{
    private static readonly TimeSpan s_step = TimeSpan.FromMilliseconds(100);

    /// <summary>Three probes half a second apart, the vote, and its reading by the silo: a stall before that had no part in its end.</summary>
    private static readonly TimeSpan s_dyingTime = TimeSpan.FromSeconds(4);

    private readonly Lock _gate = new();
    private readonly EndPermits _permits = new(cluster.Count, TimeProvider.System);
    private readonly StallWatch _stalls = new();
    private readonly List<Task> _closings = [];
    private readonly CancellationTokenSource _stopping = new();
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(2) };

    /// <summary>How often the machine left this process without a processor for long.</summary>
    public int Stalls => _stalls.Stalls;

    /// <summary>The longest time without a processor since then; zero: there was none.</summary>
    public TimeSpan LongestStallSince(long time) => _stalls.LongestBetween(time, Stopwatch.GetTimestamp());

    /// <summary>How many silos ended that only such a stall excuses.</summary>
    public int EndsByStall { get; private set; }

    /// <summary>How many silos ended that hung or were cut off.</summary>
    public int EndsByFault { get; private set; }

    /// <summary>The others may declare it dead, from now on until <see cref="CloseSoon"/> finds it well.</summary>
    public void Open(int silo) => _permits.Open(silo);

    /// <summary>What kept it from the others is over.</summary>
    public void CloseSoon(int silo)
    {
        lock (_gate)
            _closings.Add(CloseAsync(silo, _permits.TurnOf(silo)));
    }

    /// <summary>Waits until every silo is well that hung or was cut off, or was started again because it had been given up.</summary>
    public async Task AllWellAsync(TimeSpan patience)
    {
        Task[] closings;
        lock (_gate)
            closings = [.. _closings];
        await Task.WhenAll(closings).WaitAsync(patience);
    }

    /// <summary>It has just been started: whatever was, is no matter of this process.</summary>
    public void Close(int silo) => _permits.Close(silo);

    public bool IsOpen(int silo) => _permits.WasOpen(silo, Stopwatch.GetTimestamp());

    /// <summary>Why the end of a silo is none that may be; null where it may.</summary>
    public string? Object(UnaskedEnd end)
    {
        history.Note(end.Report);
        if (end.ExitCode != (int)ExitCode.Evicted)
            return end.Report;
        var ended = Stopwatch.GetTimestamp() - (long)(end.Ago.TotalSeconds * Stopwatch.Frequency);
        if (_permits.WasOpen(end.Silo, ended))
        {
            EndsByFault++;
            return null;
        }

        if (_stalls.LongestBetween(ended - (long)(s_dyingTime.TotalSeconds * Stopwatch.Frequency), ended) is var stall && stall == TimeSpan.Zero)
            return end.Report;
        EndsByStall++;
        history.Note($"the machine stalled for {stall.TotalMilliseconds:0} ms: silo {end.Silo} may end");
        return null;
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await Task.WhenAll(_closings);
        await _stalls.DisposeAsync();
        _http.Dispose();
        _stopping.Dispose();
    }

    private async Task CloseAsync(int silo, int turn)
    {
        try
        {
            while (!await IsWellAsync(silo))
                await Task.Delay(s_step, _stopping.Token);
        }
        catch (OperationCanceledException)
        {
            return;
        }

        _permits.CloseAfterVote(silo, turn);
    }

    /// <summary>Whether it runs, answers, and the others take it for a member. One that has ended waits for its judgement.</summary>
    private async Task<bool> IsWellAsync(int silo)
    {
        try
        {
            if (!cluster[silo].IsRunning)
                return false;
            using var answer = await _http.GetAsync(new Uri($"{cluster[silo].HttpUrl}/health/ready"), _stopping.Token);
            return answer.IsSuccessStatusCode && (await cluster.MembersAsync(_stopping.Token)).ContainsKey(silo);
        }
        catch (Exception failure) when (failure is HttpRequestException or SocketException or Npgsql.NpgsqlException or TaskCanceledException && !_stopping.IsCancellationRequested)
        {
            // A socket's own exception: of a connection that the silo's end closed the moment it was there, which HttpClient passes on as it is.
            return false;
        }
    }
}
