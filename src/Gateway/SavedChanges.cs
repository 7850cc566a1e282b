using Granary.Abstractions.Topics;
using Granary.Gateway.Kafka;
using Microsoft.Extensions.Logging;

namespace Granary.Gateway;

/// <summary>
/// Has this process's <see cref="TopicDirectory"/> show a change of the catalog that was made through it, so that a client's next request on any
/// connection of this process, whatever it speaks, finds what it was told.
/// </summary>
internal sealed partial class SavedChanges(TopicDirectory directory, ILogger<SavedChanges> log, TimeProvider time)
{
    private const int LinesPerInterval = 10;

    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(10);

    private readonly LogAllowance _allowance = new(time, LinesPerInterval, s_interval);

    /// <summary>Ends when the change shows, or when it cannot be read back now. Nobody is refused for that: who then made the change again would find it made.</summary>
    public async Task ShowAsync()
    {
        try
        {
            await directory.RefreshAsync();
        }
        catch (Exception failure)
        {
            // The change is saved, and that is what was asked; the directory's own poll brings it later.
            if (_allowance.TryTake(out var withheld))
                NotShown(log, withheld, failure);
        }
    }

    [LoggerMessage(1, LogLevel.Warning, "The topic catalog was changed, but this process could not read the change yet; it follows later ({Withheld} such lines withheld)")]
    private static partial void NotShown(ILogger log, long withheld, Exception failure);
}
