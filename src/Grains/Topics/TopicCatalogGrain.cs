using System.Collections.Immutable;
using Granary.Abstractions.Partitions;
using Granary.Abstractions.Topics;
using Granary.Grains.Placement;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Concurrency;
using Orleans.Storage;

namespace Granary.Grains.Topics;

/// <summary>
/// The catalog of topics. Key: <see cref="ITopicCatalogGrain.Key"/>. Persisted: all of <see cref="CatalogState"/>, before a change is answered;
/// changes that arrive while one save is under way share the next. Calls interleave; nobody is shown what is not saved. A save that
/// fails is read back, and made once more if it is not there; where that fails too the activation ends, and the next one reads what was written. A restart loses nothing.
/// </summary>
[Reentrant, KeepAlive]
internal sealed class TopicCatalogGrain(
    [PersistentState("catalog", "granary")] IPersistentState<CatalogState> state,
    IOptions<TopicOptions> options,
    LongPolls polls,
    ILogger<TopicCatalogGrain> logger) : Grain, ITopicCatalogGrain
{
    private readonly List<Change> _queued = [];
    private readonly HashSet<Guid> _deleting = [];
    private TopicCatalog _catalog = null!;
    private Task _saving = Task.CompletedTask;
    private TaskCompletionSource _changed = NewSignal();
    private Exception? _ended;
    private int _watchers;

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _catalog = new TopicCatalog(state.State, options.Value);
        DeleteLogs();
        return Task.CompletedTask;
    }

    public Task<ImmutableArray<TopicResult>> CreateAsync(ImmutableArray<NewTopic> topics, bool validateOnly) =>
        ChangeAsync(catalog => [.. topics.Select(topic => catalog.Create(topic, Guid.NewGuid(), validateOnly))]);

    public Task<ImmutableArray<TopicResult>> DeleteAsync(ImmutableArray<TopicName> topics) =>
        ChangeAsync(catalog => [.. topics.Select(catalog.Delete)]);

    public Task<ImmutableArray<TopicResult>> CreatePartitionsAsync(ImmutableArray<NewPartitions> topics, bool validateOnly) =>
        ChangeAsync(catalog => [.. topics.Select(topic => catalog.CreatePartitions(topic, validateOnly))]);

    public Task<ImmutableArray<TopicResult>> AlterConfigsAsync(ImmutableArray<TopicConfigChanges> topics, bool validateOnly) =>
        ChangeAsync(catalog => [.. topics.Select(topic => catalog.AlterConfigs(topic, validateOnly))]);

    public async Task<CatalogChanges> WatchAsync(long knownVersion, TimeSpan maxWait, CancellationToken cancellation = default)
    {
        await SavedAsync();
        if (knownVersion == _catalog.Version && maxWait > TimeSpan.Zero && _watchers < options.Value.MaxWatchers)
        {
            _watchers++;
            try
            {
                await polls.AwaitAsync(_changed.Task, maxWait, cancellation);
            }
            finally
            {
                _watchers--;
            }

            await SavedAsync();
        }

        return _catalog.ChangesSince(knownVersion);
    }

    /// <summary>Waits until what is in memory is also what is saved.</summary>
    private async Task SavedAsync()
    {
        while (!_saving.IsCompleted)
            await _saving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        ThrowIfEnded();
    }

    private Task<ImmutableArray<TopicResult>> ChangeAsync(Func<TopicCatalog, ImmutableArray<TopicResult>> change)
    {
        ThrowIfEnded();
        var queued = new Change(change);
        _queued.Add(queued);
        if (_saving.IsCompleted)
            _saving = SaveQueuedAsync();
        return queued.Answer.Task;
    }

    /// <summary>Applies what is queued, saves it, answers; and again while more was queued meanwhile.</summary>
    private async Task SaveQueuedAsync()
    {
        while (_queued.Count > 0)
        {
            var changes = _queued.ToArray();
            _queued.Clear();
            try
            {
                var before = (_catalog.Version, _catalog.Deleting.Count);
                var results = changes.Select(change => change.Apply(_catalog)).ToArray();
                if (before != (_catalog.Version, _catalog.Deleting.Count))
                    await SaveAsync();

                for (var index = 0; index < changes.Length; index++)
                    changes[index].Answer.SetResult(results[index]);
            }
            catch (Exception failure)
            {
                End(failure, changes);
                return;
            }

            var woken = _changed;
            _changed = NewSignal();
            woken.SetResult();
            DeleteLogs();
        }
    }

    /// <summary>
    /// A connection that a restart of PostgreSQL has broken is found out by the next save over it, and says nothing of what became of that; what lies there does. If it
    /// was not saved it is once more: the ETag lets only one of both take effect, should the first be still on its way.
    /// </summary>
    private async Task SaveAsync()
    {
        var before = (state.State.SaveId, state.State.Version);
        var wanted = _catalog.ToState();
        wanted.SaveId = Guid.NewGuid();
        state.State = wanted;
        try
        {
            await state.WriteStateAsync();
        }
        catch (Exception failure) when (failure is not InconsistentStateException)
        {
            TopicDiagnostics.SaveInDoubt(logger, failure);
            await state.ReadStateAsync();
            if (state.State.SaveId == wanted.SaveId)
                return;
            // An older program, beside this one while they are replaced, gives its saves no id.
            if ((state.State.SaveId, state.State.Version) != before)
                throw;
            state.State = wanted;
            await state.WriteStateAsync();
        }
    }

    private void End(Exception failure, Change[] changes)
    {
        _ended = failure;
        TopicDiagnostics.SaveFailed(logger, failure);
        foreach (var change in changes.Concat(_queued))
            change.Answer.SetException(new InvalidOperationException("the catalog could not be saved", failure));
        _queued.Clear();
        _changed.TrySetResult();
        DeactivateOnIdle();
    }

    private void ThrowIfEnded()
    {
        if (_ended is not null)
            throw new InvalidOperationException("the catalog could not be saved and is being read anew", _ended);
    }

    /// <summary>Starts to delete the logs of deleted topics, each topic once at a time.</summary>
    private void DeleteLogs()
    {
        foreach (var (topicId, partitions) in _catalog.Deleting)
        {
            if (_deleting.Add(topicId))
                _ = DeleteLogsAsync(topicId, partitions);
        }
    }

    private async Task DeleteLogsAsync(Guid topicId, int partitions)
    {
        try
        {
            // Not in the caller's turn: it is answered first.
            await Task.Yield();
            await Parallel.ForEachAsync(
                Enumerable.Range(0, partitions),
                new ParallelOptions { MaxDegreeOfParallelism = options.Value.ConcurrentDeletions, TaskScheduler = TaskScheduler.Current },
                async (index, _) => await GrainFactory.GetGrain<IPartitionGrain>(new PartitionId(topicId, index).ToKey()).DeleteAsync());
            _deleting.Remove(topicId);
            await ChangeAsync(catalog =>
            {
                catalog.ForgetDeleted(topicId);
                return [];
            });
        }
        catch (Exception failure)
        {
            // Remembered in the state: the next change or the next activation tries again.
            _deleting.Remove(topicId);
            TopicDiagnostics.DeletionFailed(logger, topicId, failure);
        }
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private sealed record Change(Func<TopicCatalog, ImmutableArray<TopicResult>> Apply)
    {
        public TaskCompletionSource<ImmutableArray<TopicResult>> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
