using System.Diagnostics;
using Granary.Gateway.Hosting;
using Granary.Support;
using Granary.Support.Histories;
using Npgsql;

namespace Granary.Chaos.Faults;

/// <summary>
/// Strikes a cluster with the faults of a plan, one after another, and heals each: at most one silo is down by it at a time. Beside it
/// silos that end by themselves are started again, as a supervisor would, once <see cref="EndJudge"/> has looked at it.
/// </summary>
internal sealed class Nemesis : IAsyncDisposable
{
    private static readonly TimeSpan s_watchInterval = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan s_startPatience = TimeSpan.FromSeconds(90);

    private readonly ClusterProcess _cluster;
    private readonly SiloNetworks? _networks;
    private readonly HistoryFile _history;
    private readonly IReadOnlyList<EdgeProcess> _gateways;
    private readonly FailoverTimes _times;
    private readonly SemaphoreSlim[] _silos;
    private readonly SemaphoreSlim[] _gatewayTurns;
    private readonly SemaphoreSlim _postgres = new(1, 1);
    private readonly EndJudge _judge;
    private readonly CancellationTokenSource _stopping = new();
    private readonly List<string> _failures = [];
    private readonly Task _watching;
    private long _lastTrouble;
    private int _troubles;

    public Nemesis(ClusterProcess cluster, IReadOnlyList<EdgeProcess> gateways, SiloNetworks? networks, HistoryFile history, FailoverTimes times)
    {
        _cluster = cluster;
        _gateways = gateways;
        _times = times;
        _networks = networks;
        _history = history;
        _silos = [.. Enumerable.Range(0, cluster.Count).Select(_ => new SemaphoreSlim(1, 1))];
        _gatewayTurns = [.. gateways.Select(_ => new SemaphoreSlim(1, 1))];
        _judge = new EndJudge(cluster, history);
        _watching = WatchAsync();
    }

    /// <summary>How often each kind has struck.</summary>
    public Dictionary<FaultKind, int> Struck { get; } = [];

    /// <summary>What of the silos' own ends there was a reason for.</summary>
    public string Ends => $"{_judge.EndsByFault} silos ended by themselves after a fault and {_judge.EndsByStall} after a stall; the machine stalled {_judge.Stalls} times";

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
        List<Task> beside = [];
        for (var struck = 0; duration is null ? struck < plan.Kinds : clock.Elapsed < duration; struck++)
        {
            var fault = plan.Next();
            await Task.Delay(fault.Pause);

            // Gateways keep nothing: whatever else happens may happen meanwhile.
            if (fault.IsOfGateway)
                beside.Add(StrikeAsync(fault));
            else
                await Task.WhenAll(StrikeAsync(fault), fault.Companion is { } companion ? StrikeLaterAsync(companion) : Task.CompletedTask);
            beside.RemoveAll(strike => strike.IsCompletedSuccessfully);
        }

        await Task.WhenAll(beside);
        await AwaitAllUpAsync();
        _history.Note("all is healed");
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _watching;
        await _judge.DisposeAsync();
        _stopping.Dispose();
        _postgres.Dispose();
        foreach (var turn in _silos.Concat(_gatewayTurns))
            turn.Dispose();
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
        var turn = fault.IsOfPostgres ? _postgres : fault.IsOfGateway ? _gatewayTurns[fault.Silo % _gateways.Count] : _silos[fault.Silo];
        await turn.WaitAsync();
        try
        {
            _history.Note($"strike: {fault}");
            Trouble(fault, begins: true);
            await (fault.IsOfPostgres ? StrikePostgresAsync(fault) : fault.IsOfGateway ? StrikeGatewayAsync(fault) : StrikeTimedAsync(fault));
            Trouble(fault, begins: false);
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

    private async Task StrikeGatewayAsync(PlannedFault fault)
    {
        var number = fault.Silo % _gateways.Count;
        var gateway = _gateways[number];
        if (!gateway.IsRunning)
            Fail($"gateway {number} ended by itself: {gateway.Output}");
        else
            gateway.Kill();
        await Task.Delay(fault.Hold);
        await gateway.RestartAsync();
    }

    /// <summary>Strikes at a silo, and has the time taken until all partitions acknowledge again, where nothing else is in their way.</summary>
    private async Task StrikeTimedAsync(PlannedFault fault)
    {
        var isAlone = fault.Companion is null && _postgres.CurrentCount > 0 && !AnotherMayBeDown(fault.Silo) && _cluster[fault.Silo].IsRunning;
        var timing = isAlone ? _times.Begin(fault.Kind) : null;
        await StrikeSiloAsync(fault);
        if (timing is not null && await timing.EndAsync(_judge) is { } tooLong)
            Fail(tooLong);
    }

    private async Task StrikeSiloAsync(PlannedFault fault)
    {
        var silo = _cluster[fault.Silo];
        await ReviveIfEndedAsync(fault.Silo);
        switch (fault.Kind)
        {
            case FaultKind.KillSilo:
                silo.Kill();
                await Task.Delay(fault.Hold);
                await StartAsync(fault.Silo);
                break;
            case FaultKind.RestartSilo:
                if (await silo.StopAsync() is not 0 and var code && (code != (int)ExitCode.Evicted || !_judge.IsOpen(fault.Silo)))
                    Fail($"silo {fault.Silo} was asked to stop and ended with exit code {code}");
                await Task.Delay(fault.Hold);
                await StartAsync(fault.Silo);
                break;
            case FaultKind.HangSilo:
                _judge.Open(fault.Silo);
                silo.Hang();
                await Task.Delay(fault.Hold);
                silo.Resume();
                _judge.CloseSoon(fault.Silo);
                break;
            case FaultKind.CutFromPeers:
                // Where another one is down too, the rest is no majority: whoever votes first wins.
                int[] mayEnd = AnotherMayBeDown(fault.Silo) ? [.. Enumerable.Range(0, _cluster.Count)] : [fault.Silo];
                foreach (var one in mayEnd)
                    _judge.Open(one);
                _networks!.CutFromPeers(fault.Silo);
                await Task.Delay(fault.Hold);
                _networks.Heal(fault.Silo);
                foreach (var one in mayEnd)
                    _judge.CloseSoon(one);
                break;
            case FaultKind.CutFromPostgres:
                _networks!.CutFromPostgres(fault.Silo, new NpgsqlConnectionStringBuilder(_cluster.Postgres.ConnectionString).Port);
                await Task.Delay(fault.Hold);
                _networks.Heal(fault.Silo);
                break;
        }
    }

    /// <summary>Starts a silo until it is up: while PostgreSQL or a peer is out of reach it may well end again, and at no other time.</summary>
    private async Task StartAsync(int silo)
    {
        var clock = Stopwatch.StartNew();
        while (true)
        {
            var began = Stopwatch.GetTimestamp();
            try
            {
                await _cluster.StartAsync(silo);
                _judge.Close(silo);
                _history.Note($"silo {silo} is up");
                return;
            }
            catch (InvalidOperationException failure) when (clock.Elapsed < s_startPatience)
            {
                _history.Note($"silo {silo} did not start, once more: {failure.Message.Split('\n')[^1]}");
                if (!WasTroubleSince(began))
                    Fail($"silo {silo} did not start, though nothing was in its way: {failure.Message}");
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
                foreach (var end in _cluster.UnaskedEnds().ToArray())
                    await ReviveAsync(end.Silo);
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

    private async Task ReviveAsync(int silo)
    {
        // Whoever strikes at it starts it as well.
        if (!await _silos[silo].WaitAsync(TimeSpan.Zero))
            return;
        try
        {
            await ReviveIfEndedAsync(silo);
        }
        finally
        {
            _silos[silo].Release();
        }
    }

    /// <summary>Starts it again where it has ended by itself, and says so where it had no reason to. Whoever calls has its turn.</summary>
    private async Task ReviveIfEndedAsync(int silo)
    {
        if (_cluster.UnaskedEndOf(silo) is not { } end)
            return;
        if (_judge.Object(end) is { } objection)
            Fail(objection);
        await StartAsync(silo);
    }

    private async Task AwaitAllUpAsync()
    {
        for (var silo = 0; silo < _cluster.Count; silo++)
        {
            await _silos[silo].WaitAsync();
            await ReviveIfEndedAsync(silo);
            _silos[silo].Release();
        }

        await _judge.AllWellAsync(s_startPatience);
        foreach (var (number, gateway) in _gateways.Index().Where(gateway => !gateway.Item.IsRunning))
            Fail($"gateway {number} ended by itself: {gateway.Output}");
    }

    private bool AnotherMayBeDown(int silo) =>
        Enumerable.Range(0, _cluster.Count).Any(other => other != silo && (!_cluster[other].IsRunning || _judge.IsOpen(other)));

    /// <summary>From its strike until it is healed, something may be out of a starting silo's reach by it.</summary>
    private void Trouble(PlannedFault fault, bool begins)
    {
        if (!fault.IsOfPostgres && fault.Kind is not (FaultKind.CutFromPeers or FaultKind.CutFromPostgres or FaultKind.HangSilo))
            return;
        Volatile.Write(ref _lastTrouble, Stopwatch.GetTimestamp());
        Interlocked.Add(ref _troubles, begins ? 1 : -1);
    }

    private bool WasTroubleSince(long time) => Volatile.Read(ref _troubles) > 0 || Volatile.Read(ref _lastTrouble) >= time;

    private void Fail(string what)
    {
        lock (_failures)
            _failures.Add(what);
    }
}
