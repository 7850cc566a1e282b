using System.Globalization;
using System.Text;
using Granary.Abstractions.Clients;

namespace Granary.Abstractions.Subscriptions;

/// <summary>From a record to the key of the grain that gets it.</summary>
internal static class SubscriberKeys
{
    private static readonly UTF8Encoding s_strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public static string Of(ConsumedRecord record, SubscriptionKey by) =>
        by == SubscriptionKey.Key && TextOf(record.Key) is { } key ? key : string.Create(CultureInfo.InvariantCulture, $"{record.Partition.Topic}/{record.Partition.Partition}");

    private static string? TextOf(ReadOnlyMemory<byte>? key)
    {
        try
        {
            return key is { } bytes && s_strict.GetString(bytes.Span) is var text && !string.IsNullOrWhiteSpace(text) ? text : null;
        }
        catch (DecoderFallbackException)
        {
            // Not a text: it has no grain of its own.
            return null;
        }
    }
}
