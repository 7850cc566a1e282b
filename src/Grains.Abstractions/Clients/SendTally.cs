namespace Granary.Abstractions.Clients;

/// <summary>
/// Knows when all sends that began before a flush have their answers: sends belong to generations, and a flush ends the current one.
/// </summary>
internal sealed class SendTally
{
    private readonly Lock _gate = new();
    private readonly List<Generation> _sealed = [];
    private Generation _current = new();
    private volatile bool _isFlushing;

    /// <summary>True while sends that a flush waits for have no answer: what still comes to its partition now must not linger there.</summary>
    public bool IsFlushing => _isFlushing;

    /// <summary>Counts a send, until <see cref="Leave"/> with what this returns.</summary>
    public Generation Enter()
    {
        lock (_gate)
        {
            _current.Unanswered++;
            return _current;
        }
    }

    /// <summary>Ends when every send that entered before this call has its answer, good or bad.</summary>
    public Task AllAnsweredAsync()
    {
        lock (_gate)
        {
            if (_current.Unanswered > 0)
            {
                _sealed.Add(_current);
                _current = new Generation();
                _isFlushing = true;
            }

            return Task.WhenAll(_sealed.Select(generation => generation.Answered.Task));
        }
    }

    public void Leave(Generation generation)
    {
        lock (_gate)
        {
            generation.Unanswered--;
            if (generation.Unanswered > 0 || !_sealed.Remove(generation))
                return;
            _isFlushing = _sealed.Count > 0;
        }

        generation.Answered.SetResult();
    }

    public sealed class Generation
    {
        public TaskCompletionSource Answered { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public long Unanswered { get; set; }
    }
}
