"""Prices from a file: for those without the permission, in partitions without a price list, or with negotiated prices.

Its JSON Schema is ``docs/prices.schema.json``, generated from :class:`PriceFile`.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Struct
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from chalicelib.errors import InvalidInput
from chalicelib.input.bounds import PRICE_FILE_BYTES
from chalicelib.input.reading import read_bytes, read_json
from chalicelib.money.prices import CURRENCY, ML_INSTANCE, Component, Market, Price, Unpriced, Use, agreed, positive

_FIELD = "--prices"


class _Contract(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True, extra="forbid")


class FilePrice(_Contract):
    """The price of one instance type in one use and region. ``current_generation`` and the size are needed only to name
    a type that would do instead."""

    region: Annotated[str, Field(description="region code, such as eu-west-1")]
    component: Annotated[Component, Field(description="what the instance is used for, as the AWS Price List names it")]
    instance_type: Annotated[str, Field(pattern=f"^{ML_INSTANCE.pattern}$")]
    per_hour: Annotated[float, Field(description="what one instance costs an hour, in the currency of the file")]
    vcpus: Annotated[float | None, Field(gt=0)] = None
    memory_gib: Annotated[float | None, Field(gt=0)] = None
    current_generation: bool | None = None


class PriceFile(_Contract):
    """Prices of ML instances by the hour. ``sample`` marks prices that are made up, to show how it looks."""

    schema_version: Literal[1] = 1
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$", description="amounts are told for USD alone")] = CURRENCY
    published: Annotated[str, Field(description="day of the prices, ISO 8601")] = ""
    sample: bool = False
    prices: list[FilePrice]

    @classmethod
    def read(cls, path: str) -> "PriceFile":
        """The file under a path. Raises InvalidInput that says what is wrong and what would be accepted."""
        accepted = "accepted is a price file as docs/prices.md describes it"
        try:
            return cls.model_validate(read_json(read_bytes(Path(path), PRICE_FILE_BYTES)))
        except OSError as error:
            raise InvalidInput(
                f"{path} cannot be read: {error.strerror or type(error).__name__}; {accepted}", field=_FIELD
            ) from None
        except ValidationError as error:
            problem = error.errors()[0]
            place = ".".join(map(str, problem["loc"])) or "the file"
            raise InvalidInput(f"{path}: {place}: {problem['msg']}; {accepted}", field=_FIELD) from None
        except ValueError as error:
            raise InvalidInput(f"{path} is no price file: {error}; {accepted}", field=_FIELD) from None


class FilePrices(Struct, frozen=True):
    """The prices of a file called ``name``."""

    file: PriceFile
    name: str

    def market(self, region: str, uses: Iterable[Use], whole: Iterable[Component] = ()) -> Market:
        """The prices of these uses in a region, as far as the file tells them in US dollars. Of a whole component it
        tells what it holds."""
        wanted, components = sorted(set(uses)), frozenset(whole)
        source = f"price file {self.name}" + (f", {self.file.published}" if self.file.published else "")
        if not wanted and not components:
            return Market(region, source=source, sample=self.file.sample)
        if self.file.currency != CURRENCY:
            note = f"prices unavailable: the price file is in {self.file.currency}, and amounts are in {CURRENCY}"
            return Market(region, notes=(note,), source=source)
        rows = [row for row in self.file.prices if row.region == region]
        if not rows:
            others = ", ".join(sorted({row.region for row in self.file.prices})) or "nowhere"
            note = f"prices unavailable: the price file has none of {region}; it is of {others}"
            return Market(region, notes=(note,), source=source)
        by_use: dict[Use, list[FilePrice]] = {}
        for row in rows:
            by_use.setdefault(Use(row.instance_type, row.component), []).append(row)
        prices: dict[Use, Price] = {}
        notes: dict[str, list[Use]] = {}
        for use in sorted({*wanted, *(use for use in by_use if use.component in components)}):
            try:
                prices[use] = self._price(by_use.get(use, []))
            except Unpriced as unpriced:
                if use in wanted:
                    notes.setdefault(str(unpriced), []).append(use)
        return Market(
            region,
            prices=prices,
            notes=tuple(_note(region, uses, reason) for reason, uses in notes.items()),
            source=source,
            sample=self.file.sample,
            whole=components,
        )

    def _price(self, rows: Iterable[FilePrice]) -> Price:
        priced = [
            Price(
                positive(row.per_hour),
                published=self.file.published,
                vcpus=row.vcpus,
                memory_gib=row.memory_gib,
                current=row.current_generation,
            )
            for row in rows
        ]
        if not priced:
            raise Unpriced("the price file has none")
        return agreed(priced)


def _note(region: str, uses: Iterable[Use], reason: str) -> str:
    return f"no price of {', '.join(map(str, uses))} in {region}: {reason}"


def file_of(region_prices: Mapping[str, Mapping[Use, Price]]) -> PriceFile:
    """A price file of what is known, by region; its day is that of the newest price."""
    rows = [
        FilePrice(
            region=region,
            component=use.component,
            instance_type=use.instance_type,
            per_hour=price.usd_per_hour,
            vcpus=price.vcpus or None,
            memory_gib=price.memory_gib or None,
            current_generation=price.current,
        )
        for region, prices in sorted(region_prices.items())
        for use, price in sorted(prices.items())
    ]
    days = [price.published for prices in region_prices.values() for price in prices.values()]
    return PriceFile(published=max(days, default=""), prices=rows)
