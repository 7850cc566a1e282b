using Granary.Cluster.Apis;
using Granary.Support;
using ErrorCode = Granary.Abstractions.ErrorCode;

namespace Granary.Cluster.Silo;

/// <summary>
/// A group without members that commits 1, 2, 3 and so on as fast as it is answered, one more at a time whatever the answer, and asks now and then
/// where it is: never before what was acknowledged, nor beyond what was asked for, nor before where it was.
/// </summary>
internal sealed class GroupOfOne(SiloProcess silo, string name, string topic)
{
    private const int CommitsPerCheck = 10;

    private long _asked;
    private long _acknowledged;
    private long _position;
    private long _refused;

    public long Acknowledged => Interlocked.Read(ref _acknowledged);

    public long Refused => Interlocked.Read(ref _refused);

    /// <summary>What was wrong first; null: nothing.</summary>
    public string? Wrong { get; private set; }

    public async Task CommitAsync(Func<bool> isOver)
    {
        await using var wire = await silo.ConnectAsync();
        while (!isOver() && Wrong is null)
        {
            _asked++;
            var error = (ErrorCode)await wire.CommitAsync(name, topic, 0, _asked);
            if (error == ErrorCode.None)
                Interlocked.Exchange(ref _acknowledged, _asked);
            else if (error is ErrorCode.CoordinatorNotAvailable or ErrorCode.CoordinatorLoadInProgress or ErrorCode.NotCoordinator or ErrorCode.RequestTimedOut)
                Interlocked.Increment(ref _refused);
            else
                Wrong = $"{name}: {error} to a commit";
            if (_asked % CommitsPerCheck == 0)
                await CheckAsync();
        }
    }

    /// <summary>Asks where it is. An error of the coordinator is no answer.</summary>
    public async Task CheckAsync()
    {
        await using var wire = await silo.ConnectAsync();
        var (error, position) = await wire.CommittedAsync(name, topic, 0);
        if (error != 0)
            return;
        if (position < _acknowledged || position > _asked || position < _position)
            Wrong ??= $"{name} is at {position}; {_acknowledged} was acknowledged, {_asked} was asked for, and it was at {_position}";
        _position = position;
    }
}
