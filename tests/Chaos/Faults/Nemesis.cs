using System.Diagnostics;
using Granary.Support;
using Granary.Support.Histories;
using Npgsql;

namespace Granary.Chaos.Faults;

/// <summary>
/// Strikes a cluster with the faults of a plan, one after another, and heals each: at most one silo is down by it at a time. Beside it
/// silos that end by themselves are started again, as a supervisor would; only one that hung, was cut off, or had no processor may do so.
/// </summary>
internal sealed class Nemesis : IAsyncDisposable
{
    private static readonly TimeSpan s_watchInterval = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan s_startPatience = TimeSpan.FromSeconds(90);

    /// <summary>How long after a hang or a cut a silo may learn that the others gave it up, and end.</summary>
    private static readonly TimeSpan s_mayEndFor = TimeSpan.FromSeconds(20);

    private readonly ClusterProcess _cluster;
    private readonly SiloNetworks? _networks;
    private readonly HistoryFile _history;
    private readonly SemaphoreSlim[] _silos;
    private readonly long[] _mayEndUntil;
    private readonly SemaphoreSlim _postgres = new(1, 1);
    private readonly StallWatch _stalls = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly List<string> _failures = [];
    private readonly Task _watching;

    public Nemesis(ClusterProcess cluster, SiloNetworks? networks, HistoryFile history)
    {
        _cluster = cluster;
        _networks = networks;
        _history = history;
        _silos = [.. Enumerable.Range(0, cluster.Count).Select(_ => new SemaphoreSlim(1, 1))];
        _mayEndUntil = new long[cluster.Count];
        _watching = WatchAsync();
    }

    /// <summary>How often each kind has struck.</summary>
    public Dictionary<FaultKind, int> Struck { get; } = [];

    /// <summary>How often the machine left this process without a processor for long.</summary>
    public int Stalls => _stalls.Stalls;

    /// <summary>What went wrong with the cluster itself: a silo that ended without a reason, or could not be started.</summary>
    public IReadOnlyList<string> Failures
    {
        get
        {
            lock (_failures)
                return [.. _failures];
        }
    }

    /// <summary>Strikes for so long, or (null) once with each kind; returns when the last fault is healed.</summary>
    public async Task RunAsync(FaultPlan plan, TimeSpan? duration)
    {
        var clock = Stopwatch.StartNew();
        for (var struck = 0; duration is null ? struck < plan.Kinds : clock.Elapsed < duration; struck++)
        {
            var fault = plan.Next();
            await Task.Delay(fault.Pause);
            await Task.WhenAll(StrikeAsync(fault), fault.Companion is { } companion ? StrikeLaterAsync(companion) : Task.CompletedTask);
        }

        await AwaitAllUpAsync();
        _history.Note("all is healed");
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _watching;
        await _stalls.DisposeAsync();
        _stopping.Dispose();
        _postgres.Dispose();
        foreach (var silo in _silos)
            silo.Dispose();
    }

    private async Task StrikeLaterAsync(PlannedFault fault)
    {
        await Task.Delay(fault.Pause);
        await StrikeAsync(fault);
    }

    private async Task StrikeAsync(PlannedFault fault)
    {
        lock (Struck)
            Struck[fault.Kind] = Struck.GetValueOrDefault(fault.Kind) + 1;
        var turn = fault.IsOfPostgres ? _postgres : _silos[fault.Silo];
        await turn.WaitAsync();
        try
        {
            _history.Note($"strike: {fault}");
            await (fault.IsOfPostgres ? StrikePostgresAsync(fault) : StrikeSiloAsync(fault));
            _history.Note($"healed: {fault}");
        }
        finally
        {
            turn.Release();
        }
    }

    private async Task StrikePostgresAsync(PlannedFault fault)
    {
        if (fault.Kind == FaultKind.RestartPostgres)
        {
            await _cluster.Postgres.RestartAsync();
            return;
        }

        await _cluster.Postgres.KillAsync();
        await Task.Delay(fault.Hold);
        await _cluster.Postgres.StartAgainAsync();
    }

    private async Task StrikeSiloAsync(PlannedFault fault)
    {
        var silo = _cluster[fault.Silo];
        if (!silo.IsRunning)
            await StartAsync(fault.Silo);
        switch (fault.Kind)
        {
            case FaultKind.KillSilo:
                silo.Kill();
                await Task.Delay(fault.Hold);
                await StartAsync(fault.Silo);
                break;
            case FaultKind.RestartSilo:
                if (await silo.StopAsync() is not 0 and var code)
                    Fail($"silo {fault.Silo} was asked to stop and ended with exit code {code}");
                await Task.Delay(fault.Hold);
                await StartAsync(fault.Silo);
                break;
            case FaultKind.HangSilo:
                silo.Hang();
                await Task.Delay(fault.Hold);
                AllowEnd(fault.Silo);
                silo.Resume();
                break;
            case FaultKind.CutFromPeers:
                // Where another one is down too, the rest is no majority: whoever votes first wins.
                foreach (var one in AnotherMayBeDown(fault.Silo) ? Enumerable.Range(0, _cluster.Count) : [fault.Silo])
                    AllowEnd(one, fault.Hold);
                _networks!.CutFromPeers(fault.Silo);
                await Task.Delay(fault.Hold);
                _networks.Heal(fault.Silo);
                break;
            case FaultKind.CutFromPostgres:
                AllowEnd(fault.Silo, fault.Hold);
                _networks!.CutFromPostgres(fault.Silo, new NpgsqlConnectionStringBuilder(_cluster.Postgres.ConnectionString).Port);
                await Task.Delay(fault.Hold);
                _networks.Heal(fault.Silo);
                break;
        }
    }

    /// <summary>Starts a silo until it is up: while PostgreSQL is away it may well end again.</summary>
    private async Task StartAsync(int silo)
    {
        var clock = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                await _cluster.StartAsync(silo);
                _history.Note($"silo {silo} is up");
                return;
            }
            catch (InvalidOperationException failure) when (clock.Elapsed < s_startPatience)
            {
                _history.Note($"silo {silo} did not start, once more: {failure.Message.Split('\n')[^1]}");
                await Task.Delay(s_watchInterval);
            }
        }
    }

    private async Task WatchAsync()
    {
        using var timer = new PeriodicTimer(s_watchInterval);
        try
        {
            while (await timer.WaitForNextTickAsync(_stopping.Token))
            {
                foreach (var (silo, report) in _cluster.UnaskedEnds().ToArray())
                    await ReviveAsync(silo, report);
            }
        }
        catch (OperationCanceledException)
        {
            // Stopping.
        }
        catch (InvalidOperationException failure)
        {
            Fail(failure.Message);
        }
    }

    private async Task ReviveAsync(int silo, string report)
    {
        // Whoever strikes at it starts it as well.
        if (!await _silos[silo].WaitAsync(TimeSpan.Zero))
            return;
        try
        {
            if (_cluster[silo].UnaskedExitCode is null)
                return;
            _history.Note(report);
            if (_stalls.HasStalledWithin(s_mayEndFor))
                _history.Note($"the machine stalled: silo {silo} may end");
            else if (Stopwatch.GetTimestamp() > Volatile.Read(ref _mayEndUntil[silo]))
                Fail(report);
            await StartAsync(silo);
        }
        finally
        {
            _silos[silo].Release();
        }
    }

    private async Task AwaitAllUpAsync()
    {
        for (var silo = 0; silo < _cluster.Count; silo++)
        {
            await _silos[silo].WaitAsync();
            if (!_cluster[silo].IsRunning)
                await StartAsync(silo);
            _silos[silo].Release();
        }
    }

    private bool AnotherMayBeDown(int silo) => Enumerable.Range(0, _cluster.Count).Any(other =>
        other != silo && (!_cluster[other].IsRunning || Stopwatch.GetTimestamp() <= Volatile.Read(ref _mayEndUntil[other])));

    private void AllowEnd(int silo, TimeSpan hold = default) =>
        Volatile.Write(ref _mayEndUntil[silo], Stopwatch.GetTimestamp() + (long)((hold + s_mayEndFor).TotalSeconds * Stopwatch.Frequency));

    private void Fail(string what)
    {
        lock (_failures)
            _failures.Add(what);
    }
}
